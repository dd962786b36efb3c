#include "CKernels.h"

/* These run every few steps over all weights, most of them zero or not in no order that a processor
 * could foresee: hence no branches on weights. */

/* Seven of ten: from there on two units with all of their weights cost less than with those that are
 * not zero, one after the other. */
static int keeps_all(const filigree_wiring *whole, const float *parameter, int keep_zeros,
                     uint32_t u) {
  if (!parameter) return 1;
  if (!keep_zeros) return 0;
  const uint32_t first = whole->first[u] + 1, weights = whole->last[u] - first;
  uint32_t count = 0;
  for (uint32_t k = 0; k < weights; k++) count += parameter[first + k] != 0;
  return 10 * (uint64_t)count >= 7 * (uint64_t)weights;
}

/* Marks in `place` the units that reach an output through weights that are selected; 2 for those that
 * keep all of their weights. */
static void mark_live(const filigree_wiring *whole, const float *parameter, int keep_zeros,
                      const filigree_selection *ties) {
  uint32_t *live = ties->place;
  for (uint32_t u = 0; u < whole->units; u++) live[u] = whole->is_output[u];
  for (uint32_t u = whole->units; u-- > 0;) {
    if (!live[u]) continue;
    const int all = keeps_all(whole, parameter, keep_zeros, u);
    live[u] += all;
    for (uint32_t k = whole->first[u] + 1; k < whole->last[u]; k++)
      live[ties->source_unit[k]] |= all || parameter[k] != 0;
  }
}

/* Live units first, both kinds in the order of the whole; afterwards `place` tells where each is. */
static void order_units(const filigree_wiring *whole, const filigree_selection *ties,
                        filigree_wiring *selected) {
  uint32_t next = 0;
  for (uint32_t u = 0; u < whole->units; u++)
    if (ties->place[u]) ties->unit[next++] = u;
  selected->live_units = next;
  for (uint32_t u = 0; u < whole->units; u++)
    if (!ties->place[u]) ties->unit[next++] = u;
  selected->units = next;
  for (uint32_t j = 0; j < next; j++) {
    const uint32_t u = ties->unit[j];
    selected->row[j] = whole->row[u];
    selected->activation[j] = whole->activation[u];
    selected->is_output[j] = whole->is_output[u];
    selected->layer[j] = whole->layer[u];
    ties->whole_first[j] = whole->first[u];
    ties->whole_last[j] = whole->last[u];
  }
}

/* Copies the bias of unit `u` of the whole and its weights other than zero, or all. */
static uint32_t take_parameters(const filigree_wiring *whole, const float *parameter,
                                const filigree_selection *ties, filigree_wiring *selected,
                                uint32_t u, uint32_t next) {
  const int all = ties->place[u] == 2 || !parameter;
  for (uint32_t k = whole->first[u]; k < whole->last[u]; k++) {
    selected->source[next] = whole->source[k];
    ties->home[next] = k;
    next += all || k == whole->first[u] || parameter[k] != 0;
  }
  return next;
}

static void take_units(const filigree_wiring *whole, const float *parameter,
                       const filigree_selection *ties, filigree_wiring *selected) {
  uint32_t next = 0;
  for (uint32_t round = 0; round < 2; round++) {
    const uint32_t begin = round == 0 ? 0 : selected->live_units;
    const uint32_t end = round == 0 ? selected->live_units : selected->units;
    for (uint32_t j = end; j-- > begin;) {
      selected->first[j] = next;
      next = take_parameters(whole, parameter, ties, selected, ties->unit[j], next);
      selected->last[j] = next;
    }
    if (round == 0) selected->live_parameters = next;
  }
  selected->parameters = next;
}

/* The weights between live units, sorted by the unit that is read. Those that read no unit gather
 * behind the last one, where nobody looks. */
static void list_outgoing(const filigree_wiring *whole, const filigree_selection *ties,
                          filigree_wiring *selected) {
  uint32_t *begin = selected->outgoing;
  for (uint32_t j = 0; j < selected->units; j++) ties->place[ties->unit[j]] = j;
  ties->place[whole->units] = selected->units;
  for (uint32_t j = 0; j <= selected->units + 1; j++) begin[j] = 0;
  for (uint32_t k = 0; k < selected->live_parameters; k++)
    begin[ties->place[ties->source_unit[ties->home[k]]] + 1]++;
  for (uint32_t j = 0; j <= selected->units; j++) begin[j + 1] += begin[j];
  for (uint32_t j = 0; j < selected->live_units; j++)
    for (uint32_t k = selected->first[j]; k < selected->last[j]; k++) {
      const uint32_t slot = begin[ties->place[ties->source_unit[ties->home[k]]]]++;
      selected->target[slot] = selected->row[j];
      selected->target_parameter[slot] = k;
    }
  /* Filling moved every begin to its end. */
  for (uint32_t j = selected->units; j > 0; j--) begin[j] = begin[j - 1];
  begin[0] = 0;
}

static int equal(const uint32_t *a, const uint32_t *b, uint32_t count) {
  for (uint32_t k = 0; k < count; k++)
    if (a[k] != b[k]) return 0;
  return 1;
}

/* Neighbours of a layer, two by two. */
static void pair_units(filigree_wiring *net) {
  for (uint32_t j = 0; j < net->units; j++) net->pair[j] = 0;
  for (uint32_t j = 0; j + 1 < net->live_units; j++) {
    if (net->layer[j] != net->layer[j + 1]) continue;
    uint32_t pair = FILIGREE_SAME_LAYER;
    const uint32_t count = net->last[j] - net->first[j];
    if (count == net->last[j + 1] - net->first[j + 1] &&
        equal(net->source + net->first[j], net->source + net->first[j + 1], count))
      pair |= FILIGREE_READ_THE_SAME;
    const uint32_t readers = net->outgoing[j + 1] - net->outgoing[j];
    if (readers > 0 && readers == net->outgoing[j + 2] - net->outgoing[j + 1] &&
        equal(net->target + net->outgoing[j], net->target + net->outgoing[j + 1], readers))
      pair |= FILIGREE_READ_BY_THE_SAME;
    net->pair[j++] = pair;
  }
}

void filigree_select(const filigree_wiring *whole, const float *parameter, int keep_zeros,
                     const filigree_selection *ties, filigree_wiring *selected) {
  mark_live(whole, parameter, keep_zeros, ties);
  order_units(whole, ties, selected);
  take_units(whole, parameter, ties, selected);
  list_outgoing(whole, ties, selected);
  pair_units(selected);
}
