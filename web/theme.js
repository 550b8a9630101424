// Runs before the first paint (a classic script in the head), so that a chosen theme never flashes.
try {
  const chosen = localStorage.getItem("heartline.theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is switched off: the system's preference holds.
}
