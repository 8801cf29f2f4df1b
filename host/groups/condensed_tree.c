/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree is walked once from the root down, which is from the last node to the first. Nodes at the distance of their
 * parent belong to the same split ("edges of one weight are removed at once": Campello, Moulavi and Sander,
 * "Density-based clustering based on hierarchical density estimates", 2013): they are passed over, their children are
 * taken for those of the split's uppermost node. So nothing depends on the order of merges at one distance, and no
 * cluster lives at one distance only. An implementation that splits in two, as scikit-learn's, has such clusters there,
 * of stability 0: it agrees where no distances are tied.
 *
 * A cluster is born at a finite lambda always: parts that split at distance 0 are single points.
 */
#include "groups/condensed_tree.h"

#include <math.h>

#include "base/failure.h"

/* What is known of nodes during the walk. Splits are nodes that differ in distance from their parent. */
typedef struct walk {
    const pkin_i_linkage *linkage;
    uint64_t min_size;
    uint64_t *splits;   /* by node: the split that it belongs to: itself, or an ancestor at the same distance */
    uint32_t *n_large;  /* by split: parts of at least min_size points; 2 stands for more */
    uint32_t *clusters; /* by split: the cluster that it is in, or that its points have left */
    double *left_at;    /* by split: lambda at which its points have left; 0: they have not (every lambda is >= 1) */
    size_t capacity;
    pkin_i_condensed *tree;
} walk;

static void walk_free(walk *self) {
    pkin_i_free(self->splits);
    pkin_i_free(self->n_large);
    pkin_i_free(self->clusters);
    pkin_i_free(self->left_at);
}

static pkin_status walk_allocate(const pkin_i_linkage *linkage, uint64_t min_size, pkin_i_condensed *tree, walk *out) {
    pkin_status status;
    *out = (walk){.linkage = linkage, .min_size = min_size, .tree = tree};
    PKIN_TRY(pkin_i_allocate(linkage->n_nodes, sizeof *out->splits, &out->splits));
    PKIN_TRY(pkin_i_allocate_zeroed(linkage->n_nodes, sizeof *out->n_large, &out->n_large));
    PKIN_TRY(pkin_i_allocate(linkage->n_nodes, sizeof *out->clusters, &out->clusters));
    PKIN_TRY(pkin_i_allocate_zeroed(linkage->n_nodes, sizeof *out->left_at, &out->left_at));
out:
    return status;
}

static void find_splits(walk *self) {
    const pkin_i_linkage *linkage = self->linkage;
    for (uint64_t u = linkage->n_nodes; u-- > 0;) {
        const uint64_t parent = linkage->parents[u];
        self->splits[u] = u;
        if (parent == PKIN_I_NO_PARENT) continue;
        const uint64_t above = self->splits[parent];
        if (linkage->distances[u] == linkage->distances[parent]) {
            self->splits[u] = above;
        } else if (linkage->sizes[u] >= self->min_size && self->n_large[above] < 2) {
            self->n_large[above]++;
        }
    }
}

static pkin_status begin_cluster(walk *self, uint64_t node, uint32_t parent, double birth) {
    pkin_status status;
    pkin_i_condensed *tree = self->tree;
    PKIN_REQUIRE(tree->n_clusters < PKIN_NO_CLUSTER - 1, PKIN_ERROR_OVERFLOW,
                 "density: the tree has too many clusters");
    PKIN_TRY(pkin_i_grow(&tree->clusters, &self->capacity, (size_t)tree->n_clusters + 1, sizeof *tree->clusters));
    self->clusters[node] = tree->n_clusters;
    tree->clusters[tree->n_clusters++] = (pkin_density_cluster){
        .parent = parent, .birth = birth, .size = self->linkage->sizes[node], .cluster = PKIN_NO_CLUSTER};
out:
    return status;
}

/* `n` points of a cluster leave it, be it into children of its. */
static void leave(pkin_density_cluster *cluster, double lambda, uint64_t n) {
    if (lambda > cluster->death) cluster->death = lambda;
    cluster->stability += (lambda - cluster->birth) * (double)n;
}

/* A node that is part of the split above it, which happens at `lambda` in a cluster. */
static pkin_status visit(walk *self, uint64_t node, uint64_t above) {
    pkin_status status = PKIN_OK;
    const pkin_i_linkage *linkage = self->linkage;
    const uint32_t cluster = self->clusters[above];
    const double distance = linkage->distances[above], lambda = distance > 0 ? 1 / distance : (double)INFINITY;
    self->clusters[node] = cluster;
    self->left_at[node] = self->left_at[above];
    if (self->left_at[above] > 0) return PKIN_OK;
    if (linkage->sizes[node] < self->min_size) {
        leave(&self->tree->clusters[cluster], lambda, linkage->sizes[node]);
        self->left_at[node] = lambda;
    } else if (self->n_large[above] > 1) {
        leave(&self->tree->clusters[cluster], lambda, linkage->sizes[node]);
        PKIN_TRY(begin_cluster(self, node, cluster, lambda));
    }
out:
    return status;
}

static pkin_status walk_down(walk *self) {
    pkin_status status;
    const pkin_i_linkage *linkage = self->linkage;
    const uint64_t root = linkage->n_nodes - 1;
    PKIN_TRY(begin_cluster(self, root, UINT32_MAX, 0));
    for (uint64_t u = root; u-- > 0;) {
        if (self->splits[u] == u) PKIN_TRY(visit(self, u, self->splits[linkage->parents[u]]));
    }
    if (root == 0) { /* a single point: as if others were at distance 1, beyond every edge */
        leave(&self->tree->clusters[0], 1, 1);
        self->left_at[0] = 1;
    }
    for (uint64_t v = 0; v < linkage->n_points; v++) {
        self->tree->last_clusters[v] = self->clusters[v];
        self->tree->leave_lambdas[v] = self->left_at[v];
    }
out:
    return status;
}

pkin_status pkin_i_condensed_make(const pkin_i_linkage *linkage, uint64_t min_cluster_size, pkin_i_condensed *out) {
    pkin_status status;
    pkin_i_condensed tree = {0};
    walk own = {0};
    *out = tree;
    PKIN_TRY(pkin_i_allocate(linkage->n_points, sizeof *tree.last_clusters, &tree.last_clusters));
    PKIN_TRY(pkin_i_allocate(linkage->n_points, sizeof *tree.leave_lambdas, &tree.leave_lambdas));
    PKIN_TRY(walk_allocate(linkage, min_cluster_size, &tree, &own));
    find_splits(&own);
    if (linkage->n_nodes > 0) PKIN_TRY(walk_down(&own));
    *out = tree;
    tree = (pkin_i_condensed){0};
out:
    walk_free(&own);
    pkin_i_condensed_free(&tree);
    return status;
}

void pkin_i_condensed_free(pkin_i_condensed *condensed) {
    pkin_i_free(condensed->clusters);
    pkin_i_free(condensed->last_clusters);
    pkin_i_free(condensed->leave_lambdas);
    *condensed = (pkin_i_condensed){0};
}

/* ---- Choosing ---------------------------------------------------------------------------------------------------- */

/* From the leaves up: a cluster is a candidate where it is at least as stable as the best choice below it; best[c] is
   the better of the two. Sums go by descending number. */
static void compare_with_descendants(const pkin_i_condensed *tree, uint64_t max_size, double *best,
                                     uint8_t *candidate) {
    for (uint32_t c = tree->n_clusters; c-- > 1;) { /* best[c] is that of its children so far */
        const pkin_density_cluster *cluster = &tree->clusters[c];
        candidate[c] = cluster->size <= max_size && !(best[c] > cluster->stability);
        if (candidate[c]) best[c] = cluster->stability;
        best[cluster->parent] += best[c];
    }
}

static void find_leaves(const pkin_i_condensed *tree, uint64_t max_size, uint8_t *candidate) {
    for (uint32_t c = 0; c < tree->n_clusters; c++) candidate[c] = tree->clusters[c].size <= max_size;
    for (uint32_t c = 1; c < tree->n_clusters; c++) candidate[tree->clusters[c].parent] = 0;
}

pkin_status pkin_i_condensed_choose(const pkin_i_condensed *condensed, uint64_t max_size, int leaves, uint8_t *chosen) {
    pkin_status status;
    double *best = NULL;
    uint8_t *covered = NULL; /* it or an ancestor is chosen */
    PKIN_TRY(pkin_i_allocate_zeroed(condensed->n_clusters, sizeof *best, &best));
    PKIN_TRY(pkin_i_allocate_zeroed(condensed->n_clusters, sizeof *covered, &covered));
    if (leaves) {
        find_leaves(condensed, max_size, chosen);
    } else {
        compare_with_descendants(condensed, max_size, best, chosen);
    }
    if (condensed->n_clusters > 0) chosen[0] = 0;
    for (uint32_t c = 1; c < condensed->n_clusters; c++) {
        const int above = covered[condensed->clusters[c].parent];
        chosen[c] = chosen[c] && !above;
        covered[c] = above || chosen[c];
    }
out:
    pkin_i_free(best);
    pkin_i_free(covered);
    return status;
}
