/** A certificate authority of the test's own, by Debian's openssl. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

export interface Identity {
  cert: string;
  key: string;
}

export class Authority {
  readonly folder: string;
  readonly file: string;

  constructor(folder: string) {
    this.folder = folder;
    this.file = join(folder, "authority.pem");
    this.#run(
      "req",
      "-x509",
      ...KEY,
      "-keyout",
      this.#at("authority.key"),
      "-out",
      this.file,
      "-subj",
      "/CN=Test authority",
    );
  }

  #at = (name: string) => join(this.folder, name);

  #run(...args: string[]): void {
    execFileSync("openssl", args, { stdio: "pipe" });
  }

  /** As public authorities make them since 2026: for servers only. Without hosts it has but a common name. */
  issue(
    name: string,
    hosts: readonly string[],
    { purpose = "serverAuth", days = 2, commonName = hosts[0] } = {},
  ): Identity {
    const [cert, key, csr, ext] = ["pem", "key", "csr", "ext"].map((end) => this.#at(`${name}.${end}`)) as [
      string,
      string,
      string,
      string,
    ];
    const names = hosts.length > 0 ? `subjectAltName=${hosts.map((host) => `DNS:${host}`)}\n` : "";
    writeFileSync(ext, `${names}extendedKeyUsage=${purpose}\n`);
    this.#run("req", ...KEY, "-keyout", key, "-out", csr, "-subj", `/CN=${commonName}`);
    const ca = ["-CA", this.file, "-CAkey", this.#at("authority.key"), "-CAcreateserial"];
    this.#run("x509", "-req", "-in", csr, ...ca, "-days", `${days}`, "-extfile", ext, "-out", cert);
    writeFileSync(cert, readFileSync(cert, "utf8") + readFileSync(this.file, "utf8"));
    return { cert, key };
  }

  /** By nobody but itself. */
  selfSigned(name: string, hosts: readonly string[]): Identity {
    const [cert, key] = [this.#at(`${name}.pem`), this.#at(`${name}.key`)];
    const san = `subjectAltName=${hosts.map((host) => `DNS:${host}`)}`;
    this.#run("req", "-x509", ...KEY, "-keyout", key, "-out", cert, "-subj", `/CN=${hosts[0]}`, "-addext", san);
    return { cert, key };
  }
}
