/** Names and passwords for newcomers: poets, who knew about lines that run on. */

const POETS =
  "basho cavafy dante eliot hafez horace keats li-bai mistral neruda pessoa plath rilke rumi sappho tagore tsvetaeva yeats";
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";

const random = (count: number): number[] => [...crypto.getRandomValues(new Uint32Array(count))];

/** A poet and three digits, so that it is probably free. */
export function suggestName(): string {
  const poets = POETS.split(" ");
  const [which = 0, digits = 0] = random(2);
  return `${poets[which % poets.length]}-${100 + (digits % 900)}`;
}

/** 16 letters of 31 in groups of four: 79 bits, and legible. */
export function suggestPassword(): string {
  const letters = random(16).map((value) => LETTERS[value % LETTERS.length]);
  return letters.join("").replace(/(.{4})(?=.)/g, "$1-");
}
