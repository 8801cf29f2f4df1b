/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <string>

#include "base/buffer.h"

TEST(Buffer, AppendsAndTerminates) {
    pkin_i_buffer buffer = {};
    ASSERT_EQ(pkin_i_buffer_string(&buffer, "ab"), PKIN_OK);
    ASSERT_EQ(pkin_i_buffer_char(&buffer, 'c'), PKIN_OK);
    ASSERT_EQ(pkin_i_buffer_append(&buffer, "\0d", 2), PKIN_OK);
    ASSERT_EQ(pkin_i_buffer_printf(&buffer, "%d-%s", 42, std::string(3000, 'z').c_str()), PKIN_OK);
    EXPECT_EQ(std::string(buffer.bytes, buffer.n_bytes), std::string("abc\0d42-", 8) + std::string(3000, 'z'));
    EXPECT_EQ(buffer.bytes[buffer.n_bytes], '\0');
    pkin_i_buffer_clear(&buffer);
    EXPECT_EQ(buffer.n_bytes, 0u);
    ASSERT_EQ(pkin_i_buffer_escaped(&buffer, PKIN_ESCAPE_JSON, "a\"b"), PKIN_OK);
    EXPECT_STREQ(buffer.bytes, "a\\\"b");
    pkin_i_buffer_free(&buffer);
    EXPECT_EQ(buffer.bytes, nullptr);
}
