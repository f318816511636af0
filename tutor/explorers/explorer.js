// ipywidgets' sliders have a label beside them but no name of their own, which a screen reader needs; and what the
// sliders change is to be read out. This runs before it is put into the page, and the sliders come later still.
(function look(triesLeft) {
  const explorer = element.closest(".explorer");
  if (!explorer) {
    if (triesLeft) setTimeout(look, 100, triesLeft - 1);
    return;
  }
  const name = () => {
    for (const slider of explorer.querySelectorAll(".widget-slider")) {
      const label = slider.querySelector(".widget-label");
      const handle = slider.querySelector(".noUi-handle");
      if (label && handle && handle.getAttribute("aria-label") !== label.textContent) {
        handle.setAttribute("aria-label", label.textContent);
        handle.title = label.title;
        const readout = slider.querySelector(".widget-readout"); // can be typed into
        readout.setAttribute("role", "textbox");
        readout.setAttribute("aria-label", `${label.textContent} as a number`);
      }
    }
    explorer.querySelectorAll(".explorer-message:not([role])").forEach(note => note.setAttribute("role", "status"));
  };
  new MutationObserver(name).observe(explorer, { childList: true, subtree: true });
  name();
})(100);
