/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_H
#define PAPERKIN_H

/*
 * paperkin: exact similarity, duplicates and related links for scientific papers. Data flows one way through these
 * headers: corpus -> features -> similarity -> groups -> store -> history (threads, related) -> digest. Everything is prefixed pkin_ or PKIN_.
 */
#include "paperkin/version.h"
#include "paperkin/status.h"
#include "paperkin/escape.h"
#include "paperkin/corpus.h"
#include "paperkin/features.h"
#include "paperkin/backend.h"
#include "paperkin/similarity.h"
#include "paperkin/groups.h"
#include "paperkin/graph.h"
#include "paperkin/cluster.h"
#include "paperkin/labels.h"
#include "paperkin/store.h"
#include "paperkin/threads.h"
#include "paperkin/related.h"
#include "paperkin/digest.h"
#include "paperkin/generate.h"

#endif
