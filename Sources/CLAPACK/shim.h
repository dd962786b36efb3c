/* LAPACK as OpenBLAS brings it: Fortran routines, declared here because Debian's package has no C
 * header for them. */

/* Solves A x = b for symmetric positive definite A (its triangle `uplo`) by Cholesky's method; both are
 * overwritten. info > 0: not positive definite. */
void dposv_(const char *uplo, const int *n, const int *nrhs, double *a, const int *lda, double *b,
            const int *ldb, int *info);

/* Eigenvalues (wr + i wi) of a general matrix, which is overwritten; jobvl = jobvr = "N": no vectors. lwork = -1
 * asks for the best size of work. info > 0: some did not converge. */
void dgeev_(const char *jobvl, const char *jobvr, const int *n, double *a, const int *lda, double *wr,
            double *wi, double *vl, const int *ldvl, double *vr, const int *ldvr, double *work,
            const int *lwork, int *info);

/* OpenBLAS would start a thread for every core; members run in parallel already. */
void openblas_set_num_threads(int count);

char *openblas_get_config(void);

/* 0: built without threads, 1: with threads of its own, 2: with OpenMP. */
int openblas_get_parallel(void);

/* Its Cholesky factor, and the inverse from that, in place. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpotri_(const char *uplo, const int *n, double *a, const int *lda, int *info);
