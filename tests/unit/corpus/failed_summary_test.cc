/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus/failed_summary.h"

#include <gtest/gtest.h>

namespace {

bool is_failed(const char *text) {
    return pkin_i_is_failed_summary(pkin_i_view_of(text, strlen(text)));
}

TEST(FailedSummary, WhatFeedsLeaveBehind) {
    for (const char *text :
         {"Error", "error.", "ERROR", "Error code: 429 - {'error': {'message': 'Rate limit reached'}}",
          "Summary generation failed", "Translation generation failed", "Motivation analysis unavailable",
          "Method extraction failed", "Result analysis unavailable.", "Conclusion extraction failed",
          "Processing failed", "N/A", "null", "Keyword generation failed",
          "\xE7\xBF\xBB\xE8\xAF\x91\xE5\xA4\xB1\xE8\xB4\xA5\xE3\x80\x82"}) {
        EXPECT_TRUE(is_failed(text)) << text;
    }
}

TEST(FailedSummary, WordsThatOnlySoundLikeIt) {
    for (const char *text :
         {"Error bars shrink by half.", "Errors in clocks are bounded.", "No method is needed here",
          "None of the clocks drift.",
          "We study why generation failed in earlier work, and what a longer abstract says when generation failed",
          "A new error code with distance 5", ""}) {
        EXPECT_FALSE(is_failed(text)) << text;
    }
}

} // namespace
