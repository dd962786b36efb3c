/* Runs every kernel on numbers from a fixed generator and prints a digest of what comes out, a line per
 * kernel and instruction set. Equal lines mean equal bits; the same program is built for other processors. */
#pragma STDC FP_CONTRACT OFF

#include "CKernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 1;

static double uniform(void) {
  state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (double)(state >> 11) * 0x1p-53 - 0.5;
}

static void fill(float *to, size_t count) {
  for (size_t k = 0; k < count; k++) to[k] = (float)uniform();
}

static void fill_double(double *to, size_t count) {
  for (size_t k = 0; k < count; k++) to[k] = uniform();
}

/* FNV-1a over bytes. */
static void print(const char *kernel, const void *data, size_t bytes) {
  uint64_t digest = UINT64_C(14695981039346656037);
  for (size_t k = 0; k < bytes; k++)
    digest = (digest ^ ((const unsigned char *)data)[k]) * UINT64_C(1099511628211);
  printf("%-12s %016llx\n", kernel, (unsigned long long)digest);
}

#define ROOM(type, count) ((type *)calloc((count), sizeof(type)))

enum { INPUTS = 13, OUTPUTS = 3, LAYERS = 4, MOST_UNITS = 64, MOST_PARAMETERS = 1400, BATCH = 96 };

/* Layers of 21 units, one for each activation that training knows, and a linear one. */
static filigree_wiring describe(uint32_t **unit_of_source) {
  static const uint32_t width[LAYERS] = {21, 20, 9, OUTPUTS};
  static const uint32_t activation[LAYERS] = {FILIGREE_SILU, FILIGREE_RELU, FILIGREE_TANH,
                                              FILIGREE_IDENTITY};
  filigree_wiring net = {
      .row = ROOM(uint32_t, MOST_UNITS), .activation = ROOM(uint32_t, MOST_UNITS),
      .is_output = ROOM(uint32_t, MOST_UNITS), .layer = ROOM(uint32_t, MOST_UNITS),
      .pair = ROOM(uint32_t, MOST_UNITS), .first = ROOM(uint32_t, MOST_UNITS),
      .last = ROOM(uint32_t, MOST_UNITS), .outgoing = ROOM(uint32_t, MOST_UNITS + 2),
      .source = ROOM(uint32_t, MOST_PARAMETERS), .target = ROOM(uint32_t, MOST_PARAMETERS),
      .target_parameter = ROOM(uint32_t, MOST_PARAMETERS)};
  uint32_t first_of_layer[LAYERS + 1] = {0};
  for (int l = 0; l < LAYERS; l++) first_of_layer[l + 1] = first_of_layer[l] + width[l];
  net.units = net.live_units = first_of_layer[LAYERS];
  *unit_of_source = ROOM(uint32_t, MOST_PARAMETERS);
  uint32_t next = 0;
  for (int l = LAYERS; l-- > 0;)
    for (uint32_t u = first_of_layer[l + 1]; u-- > first_of_layer[l];) {
      net.row[u] = (1 + INPUTS + u) * BATCH;
      net.activation[u] = activation[l];
      net.is_output[u] = l == LAYERS - 1;
      net.layer[u] = (uint32_t)l;
      net.first[u] = next;
      (*unit_of_source)[next] = net.units;
      net.source[next++] = 0;
      const uint32_t count = l == 0 ? INPUTS : width[l - 1];
      for (uint32_t k = 0; k < count; k++) {
        const uint32_t from = l == 0 ? 0 : first_of_layer[l - 1] + k;
        (*unit_of_source)[next] = l == 0 ? net.units : from;
        net.source[next++] = l == 0 ? (1 + k) * BATCH : net.row[from];
      }
      net.last[u] = next;
    }
  net.parameters = net.live_parameters = next;
  return net;
}

static filigree_wiring room(void) {
  uint32_t *unused;
  filigree_wiring net = describe(&unused);
  free(unused);
  return net;
}

static void training(const filigree_kernels *kernels, int sparse) {
  uint32_t *unit_of_source;
  filigree_wiring whole = describe(&unit_of_source), net = room();
  float *parameter = ROOM(float, MOST_PARAMETERS), *chosen = ROOM(float, MOST_PARAMETERS);
  fill(parameter, whole.parameters);
  for (uint32_t p = 0; p < whole.parameters && sparse; p++)
    if (whole.source[p] && uniform() < 0.2) parameter[p] = 0;
  filigree_selection ties = {
      .source_unit = unit_of_source, .home = ROOM(uint32_t, MOST_PARAMETERS),
      .whole_first = ROOM(uint32_t, MOST_UNITS), .whole_last = ROOM(uint32_t, MOST_UNITS),
      .unit = ROOM(uint32_t, MOST_UNITS), .place = ROOM(uint32_t, MOST_UNITS + 1),
      .chosen = ROOM(uint32_t, MOST_PARAMETERS), .chosen_before = ROOM(uint32_t, MOST_PARAMETERS)};
  filigree_select(&whole, parameter, 0, &ties, &net);
  for (uint32_t p = 0; p < net.parameters; p++) chosen[p] = parameter[ties.home[p]];
  const size_t rows = 1 + INPUTS + whole.units;
  float *value = ROOM(float, rows * BATCH), *slope = ROOM(float, rows * BATCH);
  float *delta = ROOM(float, rows * BATCH), *gradient = ROOM(float, MOST_PARAMETERS);
  float *moment1 = ROOM(float, MOST_PARAMETERS), *moment2 = ROOM(float, MOST_PARAMETERS);
  float *strength = ROOM(float, MOST_PARAMETERS), *target = ROOM(float, OUTPUTS * BATCH);
  for (size_t b = 0; b < BATCH; b++) value[b] = 1;
  fill(value + BATCH, INPUTS * BATCH);
  fill(target, OUTPUTS * BATCH);
  kernels->forward(&net, net.units, BATCH, chosen, value, slope);
  print(sparse ? "forward/s" : "forward", value, rows * BATCH * sizeof(float));
  const size_t outputs = whole.row[whole.units - OUTPUTS];
  const double loss = kernels->residual(OUTPUTS * BATCH, value + outputs, target, 0.37f, delta + outputs);
  print("residual", &loss, sizeof loss);
  kernels->backward(&net, BATCH, 1, ties.whole_first, ties.whole_last, whole.source, chosen, value,
                    slope, delta, gradient);
  print("backward", gradient, whole.parameters * sizeof(float));
  kernels->backward(&net, BATCH, 0, net.first, net.last, net.source, chosen, value, slope, delta,
                    gradient);
  print("selected", gradient, net.live_parameters * sizeof(float));
  for (uint32_t p = 0; p < MOST_PARAMETERS; p++) strength[p] = 0.01f;
  for (int penalty = 0; penalty < 3; penalty++) {
    const filigree_adam_step step = {.learning_rate = 0.01f, .beta1 = 0.9f, .beta2 = 0.999f,
                                     .epsilon = 1e-8f, .correction1 = 3.7f, .correction2 = 300,
                                     .penalty = penalty};
    kernels->adam(whole.parameters / 16 * 16, &step, strength, parameter, gradient, moment1, moment2);
    print("adam", parameter, whole.parameters * sizeof(float));
  }
}

static void analysis(const filigree_kernels *kernels) {
  uint32_t *unit_of_source;
  filigree_wiring net = describe(&unit_of_source);
  double *parameter = ROOM(double, MOST_PARAMETERS), *gradient = ROOM(double, MOST_PARAMETERS);
  fill_double(parameter, net.parameters);
  float *narrow = ROOM(float, MOST_PARAMETERS);
  for (uint32_t p = 0; p < net.parameters; p++) narrow[p] = 1;
  filigree_wiring selected = room();
  filigree_selection ties = {
      .source_unit = unit_of_source, .home = ROOM(uint32_t, MOST_PARAMETERS),
      .whole_first = ROOM(uint32_t, MOST_UNITS), .whole_last = ROOM(uint32_t, MOST_UNITS),
      .unit = ROOM(uint32_t, MOST_UNITS), .place = ROOM(uint32_t, MOST_UNITS + 1),
      .chosen = ROOM(uint32_t, MOST_PARAMETERS), .chosen_before = ROOM(uint32_t, MOST_PARAMETERS)};
  filigree_select(&net, narrow, 0, &ties, &selected);
  const size_t rows = 1 + INPUTS + net.units;
  double *value = ROOM(double, rows * BATCH), *slope = ROOM(double, rows * BATCH);
  double *delta = ROOM(double, rows * BATCH), *seed = ROOM(double, BATCH), *error = ROOM(double, BATCH);
  float *jacobian = ROOM(float, MOST_PARAMETERS * BATCH);
  for (size_t b = 0; b < BATCH; b++) value[b] = 1;
  fill_double(value + BATCH, INPUTS * BATCH);
  fill_double(seed, BATCH);
  fill_double(error, BATCH);
  kernels->evaluate(&selected, BATCH, parameter, value, slope);
  print("evaluate", value, rows * BATCH * sizeof(double));
  print("slopes", slope + (1 + INPUTS) * BATCH, net.units * BATCH * sizeof(double));
  kernels->jacobian(&selected, selected.live_units - 1, BATCH, parameter, value, slope, seed, error,
                    delta, jacobian, gradient);
  print("jacobian", jacobian, selected.live_parameters * BATCH * sizeof(float));
  print("gradient", gradient, selected.live_parameters * sizeof(double));
  memset(delta, 0, rows * BATCH * sizeof(double));
  uint32_t unit[MOST_UNITS], units = 0;
  unit[units++] = selected.live_units - 1;
  for (uint32_t u = selected.live_units - OUTPUTS; u-- > 0;) unit[units++] = u;
  double *sensitivity = ROOM(double, INPUTS * BATCH), magnitude[INPUTS] = {0}, sum[INPUTS] = {0};
  kernels->sensitivity(&selected, units, unit, INPUTS, BATCH, parameter, slope, delta, sensitivity);
  print("sensitivity", sensitivity, INPUTS * BATCH * sizeof(double));
  for (size_t b = 0; b < BATCH; b++) seed[b] += 0.5;
  kernels->magnitudes(INPUTS, BATCH, seed, sensitivity, magnitude, sum);
  print("magnitudes", magnitude, sizeof magnitude);
  print("sums", sum, sizeof sum);
}

static void rollout(const filigree_kernels *kernels) {
  enum { STATES = OUTPUTS, CONTROLS = INPUTS - OUTPUTS, STEPS = 20 };
  uint32_t *unit_of_source;
  filigree_wiring net = describe(&unit_of_source);
  double number[INPUTS], deviation[INPUTS], rate_mean[STATES] = {0.1, -0.2, 0.3};
  double rate_deviation[STATES] = {1, 2, 0.5};
  for (int i = 0; i < INPUTS; i++) number[i] = 0.1 * i, deviation[i] = 1 + 0.3 * i;
  uint32_t output_row[STATES];
  for (int i = 0; i < STATES; i++) output_row[i] = net.row[net.units - OUTPUTS + i];
  const filigree_dynamics dynamics = {.batch = 32, .states = STATES, .controls = CONTROLS,
                                      .mean = number, .deviation = deviation, .rate_mean = rate_mean,
                                      .rate_deviation = rate_deviation, .output_row = output_row,
                                      .time_step = 0.05};
  const size_t rows = 1 + INPUTS + net.units;
  float *parameter = ROOM(float, MOST_PARAMETERS), *value = ROOM(float, rows * BATCH);
  float *slope = ROOM(float, rows * BATCH);
  double *wide = ROOM(double, rows * BATCH), *precise = ROOM(double, MOST_PARAMETERS);
  double *control = ROOM(double, STEPS * CONTROLS * 32), *at = ROOM(double, STATES * 32);
  double *forecast = ROOM(double, STEPS * STATES * 32), *truth = ROOM(double, STEPS * STATES * 32);
  fill(parameter, net.parameters);
  for (uint32_t p = 0; p < net.parameters; p++) precise[p] = parameter[p];
  fill_double(control, STEPS * CONTROLS * 32);
  fill_double(at, STATES * 32);
  fill_double(truth, STEPS * STATES * 32);
  for (size_t b = 0; b < BATCH; b++) value[b] = 1, wide[b] = 1;
  /* Rows of the network lie BATCH apart, those of the table that `roll` fills 32. */
  for (uint32_t u = 0; u < net.units; u++) net.row[u] = net.row[u] / BATCH * 32;
  for (uint32_t p = 0; p < net.parameters; p++) net.source[p] = net.source[p] / BATCH * 32;
  for (int i = 0; i < STATES; i++) output_row[i] = net.row[net.units - OUTPUTS + i];
  kernels->roll(&net, &dynamics, STEPS, parameter, control, at, forecast, value, slope);
  print("roll", forecast, STEPS * STATES * 32 * sizeof(double));
  kernels->roll_double(&net, &dynamics, STEPS, precise, control, at, forecast, wide);
  print("roll_double", forecast, STEPS * STATES * 32 * sizeof(double));
  double absolute[STATES * 32] = {0}, squared[STATES * 32] = {0}, diverged_at[32];
  for (int b = 0; b < 32; b++) diverged_at[b] = 1e9;
  kernels->score(STATES, 32, 0, STEPS, forecast, truth, deviation, 1.5, absolute, squared, diverged_at);
  print("score", squared, sizeof squared);
  double *count = ROOM(double, STEPS * 32), *mean = ROOM(double, STEPS * STATES * 32);
  double *square = ROOM(double, STEPS * STATES * 32);
  for (int times = 0; times < 3; times++) {
    kernels->pool(STATES, 32, 0, STEPS, forecast, diverged_at, count, mean, square);
    for (int k = 0; k < STEPS * STATES * 32; k++) forecast[k] *= 1.01;
  }
  print("pool", square, STEPS * STATES * 32 * sizeof(double));
}

static void products(const filigree_kernels *kernels) {
  enum { ROWS = 21, N = 24 };
  double *x = ROOM(double, ROWS * BATCH), *product = ROOM(double, ROWS * ROWS);
  float *narrow = ROOM(float, ROWS * BATCH);
  fill_double(x, ROWS * BATCH);
  fill(narrow, ROWS * BATCH);
  kernels->gram(ROWS, BATCH, x, product);
  print("gram", product, ROWS * ROWS * sizeof(double));
  kernels->curvature(ROWS, BATCH, narrow, product);
  print("curvature", product, ROWS * ROWS * sizeof(double));
  double a[N * N] = {0}, half[N * N] = {0}, inverse[N * N] = {0}, right[N];
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      a[i * N + j] = i == j ? 30 + i : i < ROWS && j < ROWS ? product[(i > j ? i : j) * ROWS + (i > j ? j : i)] / 9 : 0;
  fill_double(right, N);
  const size_t failed = kernels->cholesky(N, a);
  kernels->cholesky_solve(N, a, right);
  kernels->cholesky_invert(N, a, half, inverse);
  double triangle[2 * N * N] = {0};
  for (int i = 0; i < N; i++)
    for (int j = 0; j <= i; j++)
      triangle[i * N + j] = a[j * N + i], triangle[(N + i) * N + j] = inverse[i * N + j];
  printf("pivots       %zu\n", failed);
  print("factor", triangle, N * N * sizeof(double));
  print("inverse", triangle + N * N, N * N * sizeof(double));
  print("solution", right, sizeof right);
}

static void elementary(void) {
  double (*const functions[])(double) = {filigree_exp, filigree_expm1, filigree_log, filigree_log1p,
                                         filigree_log2, filigree_log10, filigree_sin, filigree_cos,
                                         filigree_tan, filigree_atan, filigree_tanh};
  double values[400];
  for (int f = 0; f < 11; f++)
    for (int k = 0; k < 30; k++) values[f * 30 + k] = functions[f](uniform() * (k % 3 ? 3 : 200) + (f == 2 ? 101 : 0));
  for (int k = 330; k < 400; k++) values[k] = filigree_pow(uniform() + 0.6, uniform() * 9);
  /* Not a number has many bit patterns. */
  for (int k = 0; k < 400; k++)
    if (values[k] != values[k]) values[k] = -1;
  print("elementary", values, sizeof values);
}

int main(int count, char **names) {
  for (int n = 1; n < count; n++) {
    const filigree_kernels *kernels = filigree_kernels_named(names[n]);
    if (!kernels) {
      printf("%s: not on this processor\n", names[n]);
      continue;
    }
    state = 1;
    printf("set          %s\n", names[n]);
    training(kernels, 0);
    training(kernels, 1);
    analysis(kernels);
    rollout(kernels);
    products(kernels);
    elementary();
  }
  return 0;
}
