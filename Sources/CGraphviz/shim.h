#ifndef FILIGREE_CGRAPHVIZ_SHIM_H
#define FILIGREE_CGRAPHVIZ_SHIM_H

#include <dlfcn.h>
#include <gvc.h>
#include <stddef.h>

typedef int (*filigree_render_unsigned)(GVC_t *, graph_t *, const char *, char **, unsigned int *);
typedef int (*filigree_render_size)(GVC_t *, graph_t *, const char *, char **, size_t *);

/* gvRenderData writes the length to an unsigned int up to Graphviz 11, to a size_t later. */
static inline int filigree_render(GVC_t *context, graph_t *graph, const char *format, char **data,
                                  size_t *length) {
  if (_Generic(&gvRenderData, filigree_render_unsigned: 1, default: 0)) {
    unsigned int count = 0;
    int status = ((filigree_render_unsigned)gvRenderData)(context, graph, format, data, &count);
    *length = count;
    return status;
  }
  return ((filigree_render_size)gvRenderData)(context, graph, format, data, length);
}

/* The scanner of older Graphviz is one for all texts: what stood behind the last graph, a line end or
   another graph, comes before the next text, and lines are counted on. Newer versions have a scanner
   for each text, and no agreadline. */
static inline void filigree_reset_scanner(void) {
  void *self = dlopen(NULL, RTLD_LAZY);
  int (*destroy)(void) = (int (*)(void))dlsym(self, "aaglex_destroy");
  void (*set_line)(int) = (void (*)(int))dlsym(self, "agreadline");
  if (!destroy || !set_line) return;
  destroy();
  set_line(1);
}

#endif
