/** Mounts the tab into its panel; `server` is null in an exported page. */
export function mount(panel, store, server) {
    panel.textContent = "";
}
