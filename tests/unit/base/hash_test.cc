/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <gtest/gtest.h>

#include <string>
#include <unordered_set>

TEST(Hash, FixedValues) {
    /* Stored hashes must mean the same in every build. */
    EXPECT_EQ(pkin_i_hash_bytes("", 0, 0), pkin_i_hash_bytes("", 0, 0));
    EXPECT_NE(pkin_i_hash_bytes("", 0, 0), pkin_i_hash_bytes("", 0, 1));
    const uint64_t abc = pkin_i_hash_bytes("abc", 3, 0), longer = pkin_i_hash_bytes("0123456789abcdef!", 17, 42);
    EXPECT_EQ(abc, UINT64_C(0xd8c1577f8366f4ee));
    EXPECT_EQ(longer, UINT64_C(0xd770692dd368e612));
}

TEST(Hash, NearStringsDoNotCollide) {
    std::unordered_set<uint64_t> seen;
    size_t n = 0;
    for (int length = 0; length < 40; length++) {
        for (int c = 0; c < 256; c++) {
            std::string text((size_t)length, 'a');
            if (length) text[(size_t)(c % length)] = (char)c;
            text += (char)c;
            n++;
            seen.insert(pkin_i_hash_bytes(text.data(), text.size(), 0));
        }
    }
    EXPECT_GT(seen.size(), n * 9 / 10); /* some of the texts are equal */
    std::unordered_set<uint64_t> integers;
    for (uint64_t i = 0; i < 100000; i++) integers.insert(pkin_i_hash_u64(i));
    EXPECT_EQ(integers.size(), 100000u);
}

TEST(Hash, LowBitsAreMixed) {
    int counts[64] = {0};
    for (uint64_t i = 0; i < 64000; i++) counts[pkin_i_hash_u64(i << 20) & 63]++;
    for (int c : counts) EXPECT_NEAR(c, 1000, 200);
}
