/** As much of XMLHttpRequest as Strophe's BOSH wants of a browser, over fetch. */
export class Xhr {
  readyState = 0;
  status = 0;
  responseText = "";
  responseXML: unknown = null;
  onreadystatechange: (() => void) | null = null;
  readonly #abort = new AbortController();
  #method = "GET";
  #url = "";
  #headers: Record<string, string> = {};
  /** How a browser makes `responseXML`. */
  static parse: (text: string) => unknown = () => null;
  /** Stands between a request and the network: `send` lets it go. */
  static intercept: ((body: string, send: () => Promise<string>) => Promise<string>) | undefined;

  open(method: string, url: string): void {
    this.#method = method;
    this.#url = url;
    this.#turn(1);
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers[name] = value;
  }

  overrideMimeType(): void {}

  getAllResponseHeaders(): string {
    return "";
  }

  send(body: string): void {
    const run = async () => {
      const { signal } = this.#abort;
      const answer = await fetch(this.#url, { method: this.#method, headers: this.#headers, body, signal });
      this.status = answer.status;
      return answer.text();
    };
    const sent = Xhr.intercept ? Xhr.intercept(body, run) : run();
    sent.then(
      (text) => {
        this.responseText = text;
        this.responseXML = text === "" ? null : Xhr.parse(text);
        this.#turn(4);
      },
      () => {
        this.status = 0;
        this.#turn(4);
      },
    );
  }

  abort(): void {
    this.#abort.abort();
  }

  #turn(state: number): void {
    this.readyState = state;
    this.onreadystatechange?.();
  }
}
