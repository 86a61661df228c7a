// What the theme leaves out for keyboards and screen readers.
for (const caption of document.querySelectorAll("p.caption[role=heading]")) {
  caption.setAttribute("aria-level", "2")
}
for (const box of document.querySelectorAll("article pre, article .table-wrapper")) {
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0
}
