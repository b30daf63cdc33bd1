// The page: the list that shows a window of its rows, keys and mouse, and what they do.

const ROW = 28;
const KEYS = [['← → or j k', 'one step'], ['PageUp PageDown', 'ten steps'], ['Home End', 'first, last'], ['n p', 'next, previous that failed, slept or diverged'],
  ['/', 'search'], ['Esc', 'clear the search'], ['o', 'the overview that the page opens on'], ['a', 'draw all objects, or those of the step'], ['+ − 0, or the wheel', 'zoom the strip above in, out, to all of the session'], ['c', 'the strip by time, or by steps'], ['space', 'play'], ['t', 'light or dark'], ['?', 'these keys']];

class Page {
  constructor(store) {
    this.store = store;
    this.index = -1;
    this.states = new Set();
    this.actors = new Set();
    this.all = false;
    this.rows = document.getElementById('rows');
    this.windowElement = document.getElementById('window');
    this.detail = document.getElementById('detail');
    this.input = document.getElementById('search');
    this.timeline = new Timeline(document.getElementById('timeline'), store, index => this.go(index));
    sourceLink = store.about.source;
    this.head();
    this.chips();
    this.filter();
    this.listen();
  }

  head() {
    const {manifest, end, truncated, diverged} = this.store.about;
    document.getElementById('where').append([manifest.image, manifest.release && 'Linux ' + manifest.release, manifest.accelerator].filter(Boolean).join(' · '));
    const status = diverged !== null ? 'diverged' : end ? end.end : 'cut off';
    const leave = end?.held ? `, ${end.held} of them with a rule's leave` : '';
    const totals = end ? ` · ${end.steps} steps, ${end.objects} objects, ${end.fields} fields compared${leave}` : ` · ${this.store.length} steps`;
    document.getElementById('verdict').append(h('span', {class: 'badge ' + (status === 'agreed' ? 'ok' : truncated ? 'wait' : 'bad'), title: end?.message},
      status), h('small', {class: 'dim'}, totals));
    if (diverged !== null) document.getElementById('verdict').addEventListener('click', () => this.go(this.store.lines.findIndex(line => line[0] === diverged)));
  }

  chips() {
    const toggle = (set, value, name, kind) => {
      const button = h('button', {class: 'toggle ' + kind, 'aria-pressed': 'false', onclick: () => {
        if (!set.delete(value)) set.add(value);
        button.setAttribute('aria-pressed', set.has(value));
        this.filter();
      }}, name);
      return button;
    };
    const place = document.getElementById('chips');
    place.append(toggle(this.states, 'f', 'failed', 'bad'), toggle(this.states, 'b', 'blocked', 'wait'), toggle(this.states, 'd', 'diverged', 'bad'),
      ...this.store.about.actors.slice(0, 16).map(actor => toggle(this.actors, actor, actor, 'who')));
  }

  search(text) { this.input.value = text; this.filter(); }

  filter() {
    this.found = this.store.search(this.input.value, this.states, this.actors);
    this.places = new Map(this.found.map((index, place) => [index, place]));
    document.getElementById('spacer').style.height = this.found.length * ROW + 'px';
    document.getElementById('count').textContent = this.found.length === this.store.length ? `${this.store.length} steps` : `${this.found.length} of ${this.store.length} steps`;
    this.show();
    this.reveal();
  }

  // Draw the rows that can be seen, and no others.
  show() {
    const first = Math.max(0, Math.floor(this.rows.scrollTop / ROW) - 4), count = Math.ceil(this.rows.clientHeight / ROW) + 8;
    this.windowElement.style.transform = `translateY(${first * ROW}px)`;
    this.windowElement.replaceChildren(...this.found.slice(first, first + count).map(index => this.row(index)));
  }

  row(index) {
    const [number, actor, text, answer, state, names] = this.store.lines[index];
    const kind = state.includes('d') ? 'diverged' : state.includes('b') ? 'wait' : state.includes('f') ? 'bad' : 'ok';
    return h('div', {class: 'row' + (index === this.index ? ' current' : ''), title: text + ' = ' + answer, onclick: () => this.go(index)},
      h('span', {class: 'number'}, number), h('span', {class: 'chip who'}, actor ?? '–'), h('code', {}, text),
      h('b', {class: kind}, state.includes('b') ? '☾' : answer), names ? h('i', {class: 'dot', title: names}) : null);
  }

  // Bring the current row into sight.
  reveal() {
    const place = this.places.get(this.index);
    if (place === undefined) return;
    const top = place * ROW, scrollTop = this.rows.scrollTop, clientHeight = this.rows.clientHeight || 600;
    if (top < scrollTop + ROW || top > scrollTop + clientHeight - 2 * ROW) this.rows.scrollTop = top - clientHeight / 2;
  }

  // What the page opens on; the address #overview leads back to it.
  overview() {
    this.index = this.timeline.index = -1;
    this.timeline.mark();
    this.show();
    this.detail.replaceChildren(...drawOverview(this.store.about, number => this.go(this.store.lines.findIndex(line => line[0] === number))).flat(Infinity).filter(Boolean));
    this.detail.scrollTop = 0;
    try { history.replaceState(null, '', '#overview'); } catch { /* a page without an address */ }
    document.body.dataset.step = '0';
  }

  async go(index) {
    index = Math.max(0, Math.min(this.store.length - 1, index));
    if (!this.store.length) {
      const verdict = drawVerdicts({verdict: this.store.about.initial}, {places: this.store.about.places});
      this.detail.replaceChildren(...[verdict, h('p', {class: 'dim none'}, 'this session has no steps')].filter(Boolean));
      return;
    }
    this.index = index;
    this.timeline.place(index);
    this.show();
    this.reveal();
    const at = await this.store.at(index);
    if (this.index !== index) return;  // somebody went on meanwhile
    this.detail.replaceChildren(...drawDetail(at, {all: this.all, places: this.store.about.places, search: text => this.search(text)}).flat(Infinity).filter(Boolean));
    try { history.replaceState(null, '', '#' + this.store.lines[index][0]); } catch { /* a page without an address */ }
    document.body.dataset.step = this.store.lines[index][0];
  }

  // The next step that the filter lets through; where the current one is not among them, the nearest.
  move(by) {
    const place = this.places.get(this.index);
    if (place !== undefined) return this.go(this.found[Math.max(0, Math.min(this.found.length - 1, place + by))]);
    const after = this.found.findIndex(index => index > this.index);
    const next = by > 0 ? after : (after < 0 ? this.found.length : after) - 1;
    if (this.found[next] !== undefined) this.go(this.found[next]);
  }

  notable(by) {
    for (let index = this.index + by; index >= 0 && index < this.store.length; index += by)
      if (this.store.lines[index][4]) return this.go(index);
  }

  play() {
    if (this.playing) { clearInterval(this.playing); this.playing = null; return; }
    this.playing = setInterval(() => this.places.get(this.index) >= this.found.length - 1 ? this.play() : this.move(1), 700);
  }

  theme() {
    const root = document.documentElement, dark = getComputedStyle(root).getPropertyValue('--dark').trim() === '1';
    root.dataset.theme = dark ? 'light' : 'dark';
    this.timeline.draw();
  }

  help() {
    const dialog = document.getElementById('keys');
    if (dialog.open) { dialog.close(); return; }
    dialog.replaceChildren(h('h3', {}, 'keys'), h('table', {}, KEYS.map(([key, what]) => h('tr', {}, h('td', {}, h('kbd', {}, key)), h('td', {}, what)))));
    dialog.showModal();
  }

  listen() {
    this.rows.addEventListener('scroll', () => this.show(), {passive: true});
    new ResizeObserver(() => this.show()).observe(this.rows);
    this.input.addEventListener('input', () => this.filter());
    document.getElementById('theme').addEventListener('click', () => this.theme());
    for (const name of ['about-button', 'logo']) document.getElementById(name).addEventListener('click', () => this.overview());
    document.getElementById('help').addEventListener('click', () => this.help());
    document.getElementById('keys').addEventListener('click', () => document.getElementById('keys').close());
    window.addEventListener('hashchange', () => this.fromAddress());
    const split = document.getElementById('split');
    split.addEventListener('pointerdown', event => {
      split.setPointerCapture(event.pointerId);
      split.onpointermove = move => document.documentElement.style.setProperty('--list', Math.max(220, move.clientX) + 'px');
    });
    split.addEventListener('pointerup', () => { split.onpointermove = null; });
    const keys = {ArrowRight: () => this.move(1), ArrowLeft: () => this.move(-1), ArrowDown: () => this.move(1), ArrowUp: () => this.move(-1),
      j: () => this.move(1), k: () => this.move(-1), PageDown: () => this.move(10), PageUp: () => this.move(-10),
      Home: () => this.move(-this.store.length), End: () => this.move(this.store.length), n: () => this.notable(1), p: () => this.notable(-1),
      o: () => this.overview(), '/': () => this.input.focus(), t: () => this.theme(), c: () => this.timeline.toggle(), '?': () => this.help(), ' ': () => this.play(),
      '+': () => this.timeline.zoom(0.5), '=': () => this.timeline.zoom(0.5), '-': () => this.timeline.zoom(2), 0: () => this.timeline.show(0, this.store.length),
      a: () => { this.all = !this.all; if (this.index >= 0) this.go(this.index); }};
    document.addEventListener('keydown', event => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === 'Escape') { this.search(''); this.input.blur(); return; }
      if (event.target === this.input) {
        if (event.key === 'Enter') { this.input.blur(); this.move(1); }
        return;
      }
      if (event.target.closest?.('summary, button') && [' ', 'Enter'].includes(event.key)) return;
      const action = keys[event.key];
      if (action) { event.preventDefault(); action(); }
    });
  }

  fromAddress() {
    const number = Number(location.hash.slice(1)), index = this.store.lines.findIndex(line => line[0] === number);
    if (index >= 0) return index === this.index ? null : this.go(index);
    if (!this.store.length) return this.go(0);
    // A divergence is what everybody looks for first.
    const diverged = this.store.lines.findIndex(line => line[0] === this.store.about.diverged);
    return diverged < 0 || location.hash === '#overview' ? this.overview() : this.go(diverged);
  }
}

(async () => {
  try {
    if (!('DecompressionStream' in window)) throw new Error('this browser is too old: it has no DecompressionStream');
    const page = new Page(await Store.open());
    await page.fromAddress();
    document.body.dataset.ready = 'yes';
  } catch (error) {
    document.body.prepend(h('p', {class: 'failure'}, 'this report cannot be shown: ' + error.message));
    throw error;
  }
})();
