/** Many things at once, but not all of them. */

/** Does `work` for every item, at most `width` at a time; results in the items' order. */
export async function parallel<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at] as T);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}

/** `fetch`, tried again where the connection fails: a machine under load drops some. */
export async function persist(url: string, init: RequestInit): Promise<Response> {
  for (let tries = 3; ; tries--) {
    try {
      return await fetch(url, init);
    } catch (error) {
      if (tries <= 1) throw error;
    }
  }
}
