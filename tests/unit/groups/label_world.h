/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_GROUPS_LABEL_WORLD_H
#define PKIN_TESTS_GROUPS_LABEL_WORLD_H

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "paperkin/labels.h"

/* Papers with their clusters, and the labels that are made of them. */
struct LabelWorld {
    struct Text {
        std::string title, abstract, summary;
    };
    std::deque<Text> texts; /* strings stay where they are */
    std::vector<uint32_t> clusters;
    std::vector<uint32_t> parents;
    pkin_labels_options options = pkin_labels_options_default();
    pkin_labels labels = {};

    LabelWorld() = default;
    LabelWorld(const LabelWorld &) = delete;
    LabelWorld &operator=(const LabelWorld &) = delete;
    ~LabelWorld() {
        pkin_labels_free(&labels);
    }

    void add(uint32_t cluster, const std::string &title, const std::string &abstract = "",
             const std::string &summary = "") {
        texts.push_back({title, abstract, summary});
        clusters.push_back(cluster);
    }

    std::vector<pkin_paper> papers() const {
        std::vector<pkin_paper> out;
        for (const Text &text : texts) {
            pkin_paper paper = {};
            paper.key = paper.id = paper.comment = paper.doi = paper.link = paper.date = "";
            paper.title = text.title.c_str();
            paper.abstract = text.abstract.c_str();
            paper.summary = text.summary.c_str();
            out.push_back(paper);
        }
        return out;
    }

    pkin_partition partition() {
        uint32_t n = 0;
        for (uint32_t cluster : clusters) {
            if (cluster != PKIN_NO_CLUSTER && cluster >= n) n = cluster + 1;
        }
        return {clusters.size(), n, clusters.data(), 0};
    }

    pkin_status make() {
        std::vector<pkin_paper> all = papers();
        std::vector<const pkin_paper *> pointers;
        for (const pkin_paper &paper : all) pointers.push_back(&paper);
        pkin_partition part = partition();
        pkin_labels_free(&labels);
        return pkin_labels_make(pointers.data(), &part, parents.empty() ? nullptr : parents.data(), &options, &labels);
    }

    std::string english(uint32_t cluster) const {
        return labels.labels[cluster].english;
    }
    std::string chinese(uint32_t cluster) const {
        return labels.labels[cluster].chinese;
    }
    std::vector<std::string> terms(uint32_t cluster) const {
        std::vector<std::string> out;
        for (const char *const *term = labels.labels[cluster].terms; *term; term++) out.push_back(*term);
        return out;
    }
    std::string first(uint32_t cluster) const {
        return terms(cluster).empty() ? "" : terms(cluster)[0];
    }
};

#endif
