// Run in a page that holds one SVG of filigree-draw: measures what the browser made of it.
(() => {
  const svg = document.querySelector("svg");
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll("text")];
  const boxes = texts.map((text) => text.getBoundingClientRect());
  const contents = texts.map((text) => text.textContent);
  // Lines of text keep a little air, so a pixel counts for nothing.
  const outside = contents.filter((_, index) => {
    const box = boxes[index];
    return box.width > 0 && (box.left < frame.left || box.right > frame.right + 0.5 ||
      box.top < frame.top || box.bottom > frame.bottom + 0.5);
  });
  const overlapping = [];
  for (let a = 0; a < boxes.length; a++) {
    for (let b = a + 1; b < boxes.length; b++) {
      const wide = Math.min(boxes[a].right, boxes[b].right) - Math.max(boxes[a].left, boxes[b].left);
      const high = Math.min(boxes[a].bottom, boxes[b].bottom) - Math.max(boxes[a].top, boxes[b].top);
      const size = Math.min(boxes[a].height, boxes[b].height);
      if (wide > 1.5 && high > 0.3 * size) overlapping.push(contents[a] + " / " + contents[b]);
    }
  }
  const overflowing = [];
  for (const group of svg.querySelectorAll("g.input, g.output")) {
    const shape = group.querySelector("path, polygon");
    if (!shape) continue;
    const box = shape.getBoundingClientRect();
    for (const text of group.querySelectorAll("text")) {
      const own = text.getBoundingClientRect();
      if (own.left < box.left || own.right > box.right) overflowing.push(text.textContent);
    }
  }
  const named = (id) => (document.getElementById(id) || { textContent: "" }).textContent;
  const result = {
    texts: texts.length, contents, outside, overlapping, overflowing,
    role: svg.getAttribute("role"), name: named("drawing-title"), description: named("drawing-summary"),
    scripts: svg.querySelectorAll("script").length,
    links: [...svg.querySelectorAll("a")].filter((a) => a.hasAttribute("xlink:href") || a.hasAttribute("href")).length,
  };
  const bytes = new TextEncoder().encode(JSON.stringify(result));
  document.getElementById("measured").textContent = btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""));
})();
