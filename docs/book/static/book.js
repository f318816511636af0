// What is wider than the page can be moved to by keyboard, and then be scrolled with the arrow keys.
function reachable() {
  for (const wide of document.querySelectorAll("article pre, article .math, article .table-wrapper, article [role=group]")) {
    if (wide.scrollWidth > wide.clientWidth + 1) wide.tabIndex = 0;
    else if (wide.tabIndex === 0) wide.removeAttribute("tabindex");
  }
}
addEventListener("load", reachable);
addEventListener("resize", reachable);
