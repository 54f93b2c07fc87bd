/** Elements without innerHTML: text can only ever become text. */

type Props = Record<string, string | boolean | undefined | ((event: Event) => void)>;

/** Attributes by their names; a function is a listener, `true` an empty attribute; false and undefined are left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value === true) element.setAttribute(key, "");
    else if (value) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

export const byId = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
