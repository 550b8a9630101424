// Light or dark: the system's choice, until somebody chooses here.

/** Wire the button that turns the colours. */
export function wireColours(button) {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const name = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`);
  };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("heartline.theme", root.dataset.theme);
    } catch {
      // Storage is switched off: it holds until the page is left.
    }
    name();
  });
  dark.addEventListener("change", name);
  name();
}
