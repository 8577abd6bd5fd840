// @ts-check

const STORAGE_KEY = 'chip-quality.theme';

/**
 * The button that switches between dark and light; until it is used the page follows the system.
 *
 * @param {HTMLElement} button
 * @param {() => void} onChange after the page's colours have changed
 */
export function startThemeSwitch(button, onChange) {
  const systemDark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    const chosen = localStorage.getItem(STORAGE_KEY);
    const dark = chosen === null ? systemDark.matches : chosen === 'dark';
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    button.setAttribute('aria-label', dark ? 'Switch to light colours' : 'Switch to dark colours');
    onChange();
  };
  button.addEventListener('click', () => {
    localStorage.setItem(STORAGE_KEY, document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
    apply();
  });
  systemDark.addEventListener('change', apply);
  apply();
}
