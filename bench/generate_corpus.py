#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an invented corpus of JSON lines for machines without a real one: words from a power law, topics, near-copies.

Usage: generate_corpus.py N_PAPERS OUT.jsonl

The shape follows real arXiv listings: about 165 words a paper, a vocabulary that grows with the corpus, a few hundred topics, and
one paper in a thousand that nearly copies an earlier one. The same N gives the same bytes.
"""
import json
import random
import sys

SYLLABLES = [a + b for a in "b c d f g h l m n p r s t v st tr pl".split() for b in "a e i o u".split()]


def word(rank):
    """A pronounceable word for each rank, the same one every time; frequent words are short."""
    text = ""
    while True:
        text += SYLLABLES[rank % len(SYLLABLES)]
        rank //= len(SYLLABLES)
        if rank == 0:
            return text + "n"
        rank -= 1


def ranks(draw, n, spread, limit):
    """n draws from a power law over ranks."""
    return [min(int(spread * (draw.random() ** -1.25 - 1.0)), limit) for _ in range(n)]


def main():
    n_papers, out = int(sys.argv[1]), sys.argv[2]
    draw = random.Random(20260302)
    abstracts = []
    with open(out, "w", encoding="utf-8") as file:
        for number in range(n_papers):
            topic = draw.randrange(400)
            if abstracts and draw.random() < 0.001:
                title, words = draw.choice(abstracts)
                words = [each if draw.random() > 0.05 else "again" for each in words]
            else:
                common = [word(rank) for rank in ranks(draw, 110, 12, 400_000)]
                own = [word(500 + 150 * topic + rank % 150) for rank in ranks(draw, 50, 8, 10_000)]
                words = common + own
                draw.shuffle(words)
                title = " ".join(draw.sample(own, 4) + draw.sample(common, 4)).capitalize()
            if len(abstracts) < 5000:
                abstracts.append((title, words))
            sentences = [" ".join(words[k:k + 20]).capitalize() + "." for k in range(0, len(words), 20)]
            record = {"id": f"26{1 + number % 12:02d}.{50000 + number // 12:05d}", "categories": ["cs.XX"],
                      "authors": [word(rank).capitalize() + " " + word(rank + 7).capitalize()
                                  for rank in ranks(draw, 4, 3000, 90_000)],
                      "title": title, "comment": None, "summary": " ".join(sentences)}
            file.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
