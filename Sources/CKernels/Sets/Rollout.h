/* Rolling forecasts of trajectories side by side, and what is counted of them. */

/* The states that follow `state`, from the rates that the network left at `rate` in float or double. */
#define MOVE_STATES(type)                                                                      \
  for (size_t i = 0; i < d->states; i++) {                                                     \
    const double offset = d->time_step * d->rate_mean[i];                                      \
    const double gain = d->time_step * d->rate_deviation[i];                                   \
    for (size_t b = 0; b < batch; b += DOUBLE_LANES) {                                         \
      const doubles rate = __builtin_convertvector(                                            \
          *(const type *)(value + d->output_row[i] + b), doubles);                             \
      *(doubles *)(next + i * batch + b) =                                                     \
          *(const doubles *)(now + i * batch + b) +                                            \
          FUSED_DOUBLE((doubles)gain, rate, (doubles)offset);                    \
    }                                                                                          \
  }

/* The network's inputs at one sample, standardised. */
#define STANDARDISE(type)                                                                      \
  for (size_t i = 0; i < d->states + d->controls; i++) {                                       \
    const double *from = i < d->states                                                         \
                             ? now + i * batch                                                 \
                             : control + (step * d->controls + i - d->states) * batch;         \
    const double mean = d->mean[i], scale = 1 / d->deviation[i];                               \
    for (size_t b = 0; b < batch; b += DOUBLE_LANES)                                           \
      *(type *)(value + (1 + i) * batch + b) = __builtin_convertvector(                        \
          (*(const doubles *)(from + b) - mean) * scale, type);                                \
  }

/* The states move from row to row of the forecast, and behind the last one into `state`. */
#define ROLL(type, network)                                                                    \
  const size_t batch = d->batch, width = d->states * batch;                                    \
  if (steps > 0) memcpy(forecast, state, width * sizeof(double));                              \
  for (size_t step = 0; step < steps; step++) {                                                \
    const double *now = forecast + step * width;                                               \
    double *next = step + 1 < steps ? forecast + (step + 1) * width : state;                   \
    STANDARDISE(type)                                                                          \
    network;                                                                                   \
    MOVE_STATES(type)                                                                          \
  }

static void NAME(roll)(const filigree_wiring *net, const filigree_dynamics *d, size_t steps,
                       const float *parameter, const double *control, double *state,
                       double *forecast, float *value, float *slope) {
  ROLL(narrow, NAME(forward)(net, net->live_units, batch, parameter, value, slope))
}

static void NAME(roll_double)(const filigree_wiring *net, const filigree_dynamics *d, size_t steps,
                              const double *parameter, const double *control, double *state,
                              double *forecast, double *value) {
  ROLL(doubles, NAME(evaluate)(net, batch, parameter, value, NULL))
}

static void NAME(score)(size_t states, size_t batch, size_t first, size_t steps,
                        const double *forecast, const double *truth, const double *scale,
                        double limit, double *absolute, double *squared, double *diverged_at) {
  for (size_t step = 0; step < steps; step++)
    for (size_t b = 0; b < batch; b += DOUBLE_LANES) {
      doubles total = {};
      for (size_t i = 0; i < states; i++) {
        const size_t at = (step * states + i) * batch + b, sum = i * batch + b;
        const doubles error =
            (*(const doubles *)(forecast + at) - *(const doubles *)(truth + at)) * (1 / scale[i]);
        const doubles magnitude = __builtin_elementwise_abs(error);
        *(doubles *)(absolute + sum) += magnitude;
        *(doubles *)(squared + sum) =
            FUSED_DOUBLE(error, error, *(const doubles *)(squared + sum));
        total += magnitude;
      }
      /* NaN is not below the limit either. */
      const longs good = total <= limit * (double)states;
      doubles *at = (doubles *)(diverged_at + b);
      const longs now = ~good & (*at > (double)(first + step));
      *at = (doubles)((now & (longs)((doubles)(double)(first + step))) |
                      (~now & (longs)*at));
    }
}

static void NAME(pool)(size_t states, size_t batch, size_t first, size_t steps,
                       const double *forecast, const double *diverged_at, double *count,
                       double *mean, double *square) {
  for (size_t step = 0; step < steps; step++)
    for (size_t b = 0; b < batch; b += DOUBLE_LANES) {
      const longs counts = *(const doubles *)(diverged_at + b) > (double)(first + step);
      doubles *n = (doubles *)(count + step * batch + b);
      *n += (doubles)(counts & (longs)((doubles)1.0));
      for (size_t i = 0; i < states; i++) {
        const size_t at = (step * states + i) * batch + b;
        const doubles x = *(const doubles *)(forecast + at);
        doubles *m = (doubles *)(mean + at), *s = (doubles *)(square + at);
        const doubles distance = x - *m;
        const doubles moved = *m + (doubles)(counts & (longs)(distance / *n));
        *s += (doubles)(counts & (longs)(distance * (x - moved)));
        *m = moved;
      }
    }
}

static void NAME(cover)(size_t states, size_t batch, size_t steps, const double *truth,
                        const double *count, const double *mean, const double *square,
                        const double *reach, double *inside) {
  for (size_t step = 0; step < steps; step++)
    for (size_t b = 0; b < batch; b += DOUBLE_LANES) {
      doubles factor;
      for (int k = 0; k < DOUBLE_LANES; k++) factor[k] = reach[(size_t)count[step * batch + b + k]];
      for (size_t i = 0; i < states; i++) {
        const size_t at = (step * states + i) * batch + b;
        const doubles distance = *(const doubles *)(truth + at) - *(const doubles *)(mean + at);
        const longs covered = distance * distance <= factor * *(const doubles *)(square + at);
        *(doubles *)(inside + i * batch + b) += (doubles)(covered & (longs)((doubles)1.0));
      }
    }
}

