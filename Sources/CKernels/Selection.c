#include "CKernels.h"

/* These run every few steps, over weights most of which are zero: once all weights have become bits, no
 * loop looks at one that is not selected. */

/* From here on two units with all of their weights cost less than with those that are not zero, one
 * after the other. */
static int keeps_all(uint32_t count, uint32_t weights) {
  return 10 * (uint64_t)count >= 7 * (uint64_t)weights;
}

#define WORD 32

/* The bits of `word` that belong to numbers from `first` to `last` − 1. */
static uint32_t within(uint32_t word, uint32_t first, uint32_t last) {
  uint32_t bits = ~UINT32_C(0);
  if (first > word * WORD) bits &= ~UINT32_C(0) << (first - word * WORD);
  if (last < (word + 1) * WORD) bits &= ~UINT32_C(0) >> ((word + 1) * WORD - last);
  return bits;
}

/* For k in `first` ..< `last`, their bits being set. */
#define FOR_CHOSEN(k, bits, first, last)                                                       \
  for (uint32_t word = (first) / WORD; word * WORD < (last); word++)                           \
    for (uint32_t rest = (bits)[word] & within(word, first, last), k;                          \
         rest && (k = word * WORD + (uint32_t)__builtin_ctz(rest), 1); rest &= rest - 1)

/* Bit k tells whether parameter[k] is not zero. */
static uint32_t not_zero(const float *parameter, uint32_t count) {
  uint32_t bits = 0;
  if (count >= WORD)
    for (uint32_t k = 0; k < WORD; k++) bits |= (uint32_t)(parameter[k] != 0) << k;
  else
    for (uint32_t k = 0; k < count; k++) bits |= (uint32_t)(parameter[k] != 0) << k;
  return bits;
}

/* One bit per parameter of the whole: those that would be selected if their unit were live. Returns
 * whether a bit has changed. */
static int choose(const filigree_wiring *whole, const float *parameter, int keep_zeros,
                  const filigree_selection *ties) {
  uint32_t *bits = ties->chosen, *before = ties->chosen_before;
  const uint32_t words = (whole->parameters + WORD - 1) / WORD;
  uint32_t changed = !before[words];
  before[words] = 1;
  for (uint32_t word = 0; word < words; word++) {
    const uint32_t now =
        parameter ? not_zero(parameter + word * WORD, whole->parameters - word * WORD) : ~UINT32_C(0);
    changed |= now ^ before[word];
    before[word] = bits[word] = now;
  }
  if (!changed) return 0;
  for (uint32_t u = 0; u < whole->units; u++) {
    const uint32_t first = whole->first[u], last = whole->last[u];
    bits[first / WORD] |= UINT32_C(1) << first % WORD;
    if (!keep_zeros) continue;
    uint32_t count = 0;
    for (uint32_t word = (first + 1) / WORD; word * WORD < last; word++)
      count += (uint32_t)__builtin_popcount(bits[word] & within(word, first + 1, last));
    if (keeps_all(count, last - first - 1))
      for (uint32_t word = first / WORD; word * WORD < last; word++)
        bits[word] |= within(word, first, last);
  }
  return 1;
}

/* Marks in `place` the units that reach an output through weights that are selected. */
static void mark_live(const filigree_wiring *whole, const filigree_selection *ties) {
  uint32_t *live = ties->place;
  for (uint32_t u = 0; u < whole->units; u++) live[u] = whole->is_output[u];
  for (uint32_t u = whole->units; u-- > 0;)
    if (live[u])
      FOR_CHOSEN(k, ties->chosen, whole->first[u] + 1, whole->last[u]) live[ties->source_unit[k]] = 1;
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
    if (whole->shape) {
      selected->shape[2 * j] = whole->shape[2 * u];
      selected->shape[2 * j + 1] = whole->shape[2 * u + 1];
    }
    selected->is_output[j] = whole->is_output[u];
    selected->layer[j] = whole->layer[u];
    ties->whole_first[j] = whole->first[u];
    ties->whole_last[j] = whole->last[u];
    ties->place[u] = j;
  }
  ties->place[whole->units] = next;
}

/* The chosen parameters, those of live units first. */
static void take_parameters(const filigree_wiring *whole, const filigree_selection *ties,
                            filigree_wiring *selected) {
  uint32_t next = 0;
  for (uint32_t round = 0; round < 2; round++) {
    const uint32_t begin = round == 0 ? 0 : selected->live_units;
    const uint32_t end = round == 0 ? selected->live_units : selected->units;
    for (uint32_t j = end; j-- > begin;) {
      selected->first[j] = next;
      FOR_CHOSEN(k, ties->chosen, ties->whole_first[j], ties->whole_last[j]) {
        selected->source[next] = whole->source[k];
        ties->home[next++] = k;
      }
      selected->last[j] = next;
    }
    if (round == 0) selected->live_parameters = next;
  }
  selected->parameters = next;
}

/* The weights between live units, sorted by the unit that is read. Those that read no unit gather
 * behind the last one, where nobody looks. */
static void list_outgoing(const filigree_selection *ties, filigree_wiring *selected) {
  uint32_t *begin = selected->outgoing;
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

int filigree_select(const filigree_wiring *whole, const float *parameter, int keep_zeros,
                    const filigree_selection *ties, filigree_wiring *selected) {
  if (!choose(whole, parameter, keep_zeros, ties)) return 0;
  mark_live(whole, ties);
  order_units(whole, ties, selected);
  take_parameters(whole, ties, selected);
  list_outgoing(ties, selected);
  pair_units(selected);
  return 1;
}
