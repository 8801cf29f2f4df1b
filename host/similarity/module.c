/* SPDX-License-Identifier: Apache-2.0 */
typedef int pkin_i_similarity_placeholder;
