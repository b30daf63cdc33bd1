// The session inside the page: chunks of steps, each unpacked when it is first looked at.

async function unpack(element) {
  const data = Uint8Array.from(atob(element.textContent), char => char.charCodeAt(0));
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream('deflate'));
  return JSON.parse(await new Response(stream).text());
}

class Store {
  static async open() {
    const store = new Store();
    store.about = await unpack(document.getElementById('about'));
    store.lines = [];
    for (const element of document.querySelectorAll('script.lines')) store.lines.push(...await unpack(element));
    store.elements = [...document.querySelectorAll('script.steps')];
    store.chunks = new Map();
    return store;
  }

  get length() { return this.lines.length; }

  async chunk(number) {
    if (!this.chunks.has(number)) {
      if (this.chunks.size >= 6) this.chunks.delete(this.chunks.keys().next().value);
      this.chunks.set(number, unpack(this.elements[number]));
    }
    return this.chunks.get(number);
  }

  // One step with the World before and after it, as Maps from reference to object.
  async at(index) {
    const [number, place] = [Math.floor(index / this.about.chunk), index % this.about.chunk];
    const chunk = await this.chunk(number);
    const world = new Map(Object.entries(chunk.before));
    for (let step = 0; step < place; step++) apply(world, chunk.steps[step]);
    const before = new Map(world);
    const detail = chunk.steps[place];
    if (detail) apply(world, detail);
    return {index, line: this.lines[index], detail, before, world};
  }

  // Indexes of the steps that a query and a set of states let through.
  search(query, states, actors) {
    const words = [...query.toLowerCase().matchAll(/"([^"]+)"|\S+/g)].map(([word, phrase]) => phrase ?? word);
    const found = [];
    this.lines.forEach(([number, actor, text, answer, state, names, comment], index) => {
      if (states.size && ![...states].some(item => state.includes(item))) return;
      if (actors.size && !actors.has(actor)) return;
      if (words.length) {
        const all = `${number} ${actor ?? '-'} ${text} = ${answer} ${names} ${comment}`.toLowerCase();
        if (!words.every(word => all.includes(word))) return;
      }
      found.push(index);
    });
    return found;
  }
}

function apply(world, step) {
  for (const ref of step.gone) world.delete(ref);
  for (const [ref, value] of Object.entries(step.changed)) world.set(ref, value);
}
