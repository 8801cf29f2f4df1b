/* SPDX-License-Identifier: Apache-2.0 */
typedef int pkin_i_groups_placeholder;
