/* LAPACK as OpenBLAS brings it: Fortran routines, declared here because Debian's package has no C
 * header for them. */

/* Solves A x = b for symmetric positive definite A (its triangle `uplo`) by Cholesky's method; both are
 * overwritten. info > 0: not positive definite. */
void dposv_(const char *uplo, const int *n, const int *nrhs, double *a, const int *lda, double *b,
            const int *ldb, int *info);

/* OpenBLAS would start a thread for every core; members run in parallel already. */
void openblas_set_num_threads(int count);

char *openblas_get_config(void);

/* Its Cholesky factor, and the inverse from that, in place. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpotri_(const char *uplo, const int *n, double *a, const int *lda, int *info);
