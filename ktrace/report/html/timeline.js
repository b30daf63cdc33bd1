// The strip above everything: a lane for each actor, a mark for each step, and the playhead to drag. The wheel zooms.

const FEWEST = 40;  // steps that are shown at least

class Timeline {
  constructor(element, store, go) {
    this.element = element;
    this.canvas = element.querySelector('canvas');
    this.store = store;
    this.from = 0;
    this.to = store.length;
    this.lanes = [null, ...store.about.actors];
    this.numbers = new Map(this.lanes.map((actor, number) => [actor, number]));
    this.head = element.querySelector('#playhead');
    const move = event => go(Math.max(0, Math.min(store.length - 1, Math.floor(this.under(event)))));
    this.element.addEventListener('pointerdown', event => {
      this.element.setPointerCapture(event.pointerId);
      move(event);
      this.element.onpointermove = move;
    });
    this.element.addEventListener('pointerup', () => { this.element.onpointermove = null; });
    this.element.addEventListener('wheel', event => {
      event.preventDefault();
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan((event.deltaX || event.deltaY) * this.span / 1000);
      else this.zoom(Math.exp(event.deltaY / 300), this.under(event));
    }, {passive: false});
    this.element.addEventListener('dblclick', () => this.show(0, store.length));
    this.element.style.height = this.height + 'px';
    new ResizeObserver(() => { this.draw(); this.place(); }).observe(element);
  }

  get left() { return 34; }
  get height() { return Math.round(this.lane() * this.lanes.length + 12); }
  get span() { return Math.max(1, this.to - this.from); }
  lane() { return Math.max(5, Math.min(16, 110 / this.lanes.length)); }

  // The place in the session under the pointer, as a fraction of steps.
  under(event) {
    const box = this.canvas.getBoundingClientRect();
    return this.from + (event.clientX - box.left - this.left) / (box.width - this.left) * this.span;
  }

  // Show more or less, with the step *at* staying where it is.
  zoom(factor, at = this.index ?? 0) {
    const length = this.store.length, span = Math.max(Math.min(FEWEST, length), Math.min(length, this.span * factor));
    const share = Math.max(0, Math.min(1, (at - this.from) / this.span));
    this.show(at - share * span, at - share * span + span);
  }

  pan(by) { this.show(this.from + by, this.to + by); }

  show(from, to) {
    const length = this.store.length, span = to - from;
    this.from = Math.round(Math.max(0, Math.min(length - span, from)));
    this.to = Math.min(length, Math.round(this.from + span));
    this.draw();
    this.mark();
  }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const width = this.element.clientWidth, lane = this.lane(), height = this.height;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const paint = this.canvas.getContext('2d');
    paint.scale(ratio, ratio);
    const colours = getComputedStyle(document.documentElement);
    const colour = name => colours.getPropertyValue(name).trim();
    const step = (width - this.left) / this.span;
    paint.font = `${Math.min(11, lane)}px ui-monospace, monospace`;
    paint.textBaseline = 'middle';
    this.lanes.forEach((actor, number) => {
      const top = 4 + number * lane;
      paint.fillStyle = colour('--line');
      paint.fillRect(this.left, top + lane / 2 - 0.5, width - this.left, 1);
      if (lane > 8) {
        paint.fillStyle = colour('--dim');
        paint.fillText((actor ?? '–').slice(0, 4), 8, top + lane / 2);
      }
    });
    const hues = {'': colour('--ok'), f: colour('--bad'), b: colour('--wait'), d: colour('--diverged')};
    const kind = state => state.includes('d') ? 'd' : state.includes('b') ? 'b' : state.includes('f') ? 'f' : '';
    // Steps that share a pixel share its height, too.
    const buckets = new Map();
    for (let index = this.from; index < this.to; index++) {
      const [, actor, , , state] = this.store.lines[index];
      const number = this.numbers.get(actor) ?? 0, column = step < 2 ? Math.floor((index - this.from) * step) : index - this.from;
      const key = number * 1e7 + column;
      if (!buckets.has(key)) buckets.set(key, {number, column, '': 0, f: 0, b: 0, d: 0});
      buckets.get(key)[kind(state)]++;
    }
    for (const bucket of buckets.values()) {
      const total = bucket[''] + bucket.f + bucket.b + bucket.d;
      const size = step < 2 ? 1 : Math.min(step - 1, 14);
      const x = this.left + (step < 2 ? bucket.column : bucket.column * step + (step - size) / 2);
      const tall = bucket.d ? lane - 1 : lane - 5;
      let y = 4 + bucket.number * lane + (lane - tall) / 2;
      for (const state of ['d', 'f', 'b', '']) {
        if (!bucket[state]) continue;
        const part = tall * bucket[state] / total;
        paint.fillStyle = hues[state];
        paint.fillRect(x, y, size, part);
        y += part;
      }
    }
    if (this.span === this.store.length) return;
    // Which part of the session this is.
    const whole = (width - this.left) / this.store.length;
    paint.fillStyle = colour('--line');
    paint.fillRect(this.left, height - 4, width - this.left, 3);
    paint.fillStyle = colour('--accent');
    paint.fillRect(this.left + this.from * whole, height - 4, Math.max(3, this.span * whole), 3);
  }

  place(index = this.index ?? 0) {
    this.index = index;
    if (index < this.from || index >= this.to) this.show(index - this.span / 2, index + this.span / 2);
    this.mark();
    this.element.setAttribute('aria-valuenow', index + 1);
    this.element.setAttribute('aria-valuemin', 1);
    this.element.setAttribute('aria-valuemax', this.store.length);
  }

  mark() {
    const index = this.index ?? 0, step = (this.element.clientWidth - this.left) / this.span;
    const inside = index >= this.from && index < this.to;
    this.head.style.display = inside ? '' : 'none';
    this.head.style.left = this.left + (index - this.from) * step + 'px';
    this.head.style.width = Math.max(2, step) + 'px';
    this.element.dataset.shown = `${this.from + 1}-${this.to}`;
  }
}
