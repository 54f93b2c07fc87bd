/** How files look; adopted beside the widget's own styles when they are loaded. */

export const styles = `
.file { display: block }
.file img { display: block; height: 12rem; min-width: 3rem; max-width: 100%; border-radius: 10px; object-fit: cover }
.b:has(> .file img) { padding: 4px }
.ups { max-height: 12rem; overflow: auto }
.up { overflow-wrap: anywhere }
.up progress { display: block; width: 100%; accent-color: var(--accent) }
.up p { color: var(--bad) }
.up button:not(.icon) { flex: none }
`;
