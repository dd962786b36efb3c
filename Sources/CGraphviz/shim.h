#ifndef FILIGREE_CGRAPHVIZ_SHIM_H
#define FILIGREE_CGRAPHVIZ_SHIM_H

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

#endif
