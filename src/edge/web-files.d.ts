/** The built web pages, path → file; made by scripts/build.ts. */
declare module "enjamb:web" {
  export const files: Readonly<Record<string, { readonly type: string; readonly etag: string; readonly text: string }>>;
}
