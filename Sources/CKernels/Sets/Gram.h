/* Sums of products of rows: a tile of 4 rows and GRAM_COLUMNS columns at a time, in registers over the
 * whole batch. Where a vector takes several registers, each of them goes through the batch by itself. */

typedef float NAME(gram_part) __attribute__((ext_vector_type(WIDTH), aligned(4), may_alias));
typedef double NAME(gram_double_part)
    __attribute__((ext_vector_type(WIDTH / 2), aligned(8), may_alias));

#define GRAM(function, part, width, wide, lanes, number, sums)                                   \
  static void NAME(function)(size_t rows, size_t batch, const number *x, double *product) {      \
    /* By product, rounded up to a whole number of vectors, of which the last stay zero. */      \
    number partial[(4 * GRAM_COLUMNS + lanes - 1) / lanes * lanes][lanes] = {};                  \
    for (size_t i = 0; i < rows; i += 4)                                                         \
      for (size_t j = 0; j < i + 4 && j < rows; j += GRAM_COLUMNS) {                             \
        /* Beyond the edge the last row is taken again and its products are thrown away. */      \
        const number *row[4], *column[GRAM_COLUMNS];                                             \
        for (size_t r = 0; r < 4; r++) row[r] = x + (i + r < rows ? i + r : rows - 1) * batch;   \
        for (size_t c = 0; c < GRAM_COLUMNS; c++)                                                \
          column[c] = x + (j + c < rows ? j + c : rows - 1) * batch;                             \
        for (size_t lane = 0; lane < lanes; lane += width) {                                     \
          part tile[4 * GRAM_COLUMNS] = {};                                                      \
          for (size_t b = lane; b < batch; b += lanes)                                           \
            for (int r = 0; r < 4; r++)                                                          \
              for (int c = 0; c < GRAM_COLUMNS; c++)                                             \
                tile[r * GRAM_COLUMNS + c] = __builtin_elementwise_fma(                          \
                    *(const part *)(row[r] + b), *(const part *)(column[c] + b),                 \
                    tile[r * GRAM_COLUMNS + c]);                                                 \
          for (int k = 0; k < 4 * GRAM_COLUMNS; k++) *(part *)(partial[k] + lane) = tile[k];     \
        }                                                                                        \
        number sum[(4 * GRAM_COLUMNS + lanes - 1) / lanes * lanes];                              \
        for (int k = 0; k < 4 * GRAM_COLUMNS; k += lanes)                                        \
          *(wide *)(sum + k) = sums((const wide *)partial[k]);                                   \
        const int is_inside = i + 4 <= rows && j + GRAM_COLUMNS <= i;                            \
        for (size_t r = 0; r < 4 && i + r < rows; r++)                                           \
          for (size_t c = 0; c < GRAM_COLUMNS && (is_inside || j + c <= i + r); c++)             \
            product[(i + r) * rows + j + c] += (double)sum[r * GRAM_COLUMNS + c];                \
      }                                                                                          \
  }

GRAM(gram, NAME(gram_double_part), WIDTH / 2, doubles, DOUBLE_LANES, double, NAME(double_sums))
GRAM(curvature, NAME(gram_part), WIDTH, vector, LANES, float, NAME(lane_sums))
#undef GRAM
