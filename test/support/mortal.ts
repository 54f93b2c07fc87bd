/**
 * Objects that die alone: memory gone, rows kept, the rest of the server goes on. What runs is the built worker; the classes
 * around it exist in tests only.
 *
 *   await mortals.doom("ROOM", "coven@rooms.capulet.example", "GATE");
 *   await witch.sends(…); // the room commits it, and dies before a gate hears of it
 *   await mortals.died("ROOM", "coven@rooms.capulet.example");
 */
import { OBJECTS } from "../../scripts/objects.ts";
import { World, type WorldOptions } from "./world.ts";

type Binding = (typeof OBJECTS)[number]["binding"];

/** Before the next call to an object of a class: what it was to hear is lost. Or after it: nobody learns that it was heard. */
type When = "before" | "after";

interface Mortal {
  /** It dies at its next call to an object of that class. */
  doom(of: Binding, when?: When): Promise<void>;
  /** It dies when it has taken, and committed, the next batch it is sent: its sender does not learn that. */
  doomTaking(): Promise<void>;
  /** How often objects of that class and name have died. */
  deaths(className: string, name: string): Promise<number>;
}

export class Mortals {
  readonly #world: World;

  private constructor(world: World) {
    this.#world = world;
  }

  static async start(options: WorldOptions): Promise<{ world: World; mortals: Mortals }> {
    const world = await World.start({ ...options, evict: false, entry: MORTAL });
    return { world, mortals: new Mortals(world) };
  }

  async #stub(binding: Binding, name: string): Promise<Mortal> {
    const bindings = await this.#world.bindings<Record<Binding, { getByName(name: string): Mortal }>>();
    return bindings[binding].getByName(name);
  }

  async doom(binding: Binding, name: string, of: Binding, when: When = "before"): Promise<void> {
    await (await this.#stub(binding, name)).doom(of, when);
  }

  async doomTaking(binding: Binding, name: string): Promise<void> {
    await (await this.#stub(binding, name)).doomTaking();
  }

  /** Resolves when the object has died so often. It is not asked itself: it would start again. */
  async died(binding: Binding, name: string, times = 1): Promise<void> {
    const { className } = OBJECTS.find((each) => each.binding === binding)!;
    const directory = await this.#stub("DIRECTORY", this.#world.domain);
    while ((await directory.deaths(className, name)) < times);
  }
}

/** The module that stands before the worker's. */
const MORTAL = `
import { RpcTarget } from "cloudflare:workers";
import worker, * as classes from "./worker.js";
export default worker;

const deaths = new Map();

function mortal(Base, className) {
  return class extends Base {
    #fate;
    constructor(ctx, env) {
      const fate = {};
      const die = async () => {
        await ctx.storage.sync();
        const name = className + " " + ctx.id.name;
        deaths.set(name, (deaths.get(name) ?? 0) + 1);
        ctx.abort("this test wants it dead");
        await new Promise(() => {});
      };
      super(ctx, new Proxy(env, { get: (env, kind) => fate.of === kind ? lethal(env[kind], fate, die) : env[kind] }));
      this.#fate = { fate, die };
    }
    doom(of, when = "before") {
      Object.assign(this.#fate.fate, { of, when });
    }
    doomTaking() {
      this.#fate.fate.taking = true;
    }
    deaths(className, name) {
      return deaths.get(className + " " + name) ?? 0;
    }
    get gate() {
      const { fate, die } = this.#fate;
      return fate.taking ? new LastGate(super.gate, die) : super.gate;
    }
    async receive(batch) {
      await super.receive(batch);
      if (this.#fate.fate.taking) await this.#fate.die();
    }
  };
}

class LastGate extends RpcTarget {
  #gate;
  #die;
  constructor(gate, die) {
    super();
    this.#gate = gate;
    this.#die = die;
  }
  async deliver(batch) {
    await this.#gate.deliver(batch);
    await this.#die();
  }
}

/** The last call there is. */
function lethal(namespace, { when }, die) {
  const last = (call) => async (batch) => {
    if (when === "after") await call(batch);
    await die();
  };
  return {
    getByName(name) {
      const stub = namespace.getByName(name);
      return {
        receive: last((batch) => stub.receive(batch)),
        forget: last((until) => stub.forget(until)),
        gate: { deliver: last((batch) => stub.gate.deliver(batch)) },
      };
    },
  };
}

${OBJECTS.map(({ className }) => `export const ${className} = mortal(classes.${className}, "${className}");`).join("\n")}
`;
