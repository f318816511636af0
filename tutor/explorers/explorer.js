// The sliders of ipywidgets have a label beside them but no name of their own, and a screen reader needs one.
// What changes by itself is announced.
(() => {
  const explorer = element.closest(".explorer");
  if (!explorer) return;
  const name = () => {
    for (const slider of explorer.querySelectorAll(".widget-slider")) {
      const label = slider.querySelector(".widget-label");
      const handle = slider.querySelector(".noUi-handle");
      if (label && handle && handle.getAttribute("aria-label") !== label.textContent) {
        handle.setAttribute("aria-label", label.textContent);
        handle.title = label.title;
      }
    }
    for (const message of explorer.querySelectorAll(".explorer-message:not([role])")) message.setAttribute("role", "status");
  };
  new MutationObserver(name).observe(explorer, { childList: true, subtree: true });
  name();
})();
