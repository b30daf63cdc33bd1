// The strip above everything: a lane for each actor, a mark for each step, and the playhead to drag. The wheel zooms.
// A place on it is a number of steps; by time it is as much of the session's time, so that both run from 0 to the same end.

const FEWEST = 40;  // steps that are shown at least
const CLOSEST = 1000;  // by time, what part of the session is

class Timeline {
  constructor(element, store, go) {
    this.element = element;
    this.canvas = element.querySelector('canvas');
    this.store = store;
    this.from = 0;
    this.to = store.length;
    this.byTime = false;
    const times = store.lines.map(line => line[7] ?? [0, 0]);
    this.began = times[0]?.[0] ?? 0;
    this.lasted = (times.at(-1)?.[1] ?? 0) - this.began;
    this.times = times.map(pair => pair.map(time => (time - this.began) / this.lasted * store.length));
    this.lanes = [null, ...store.about.actors];
    this.numbers = new Map(this.lanes.map((actor, number) => [actor, number]));
    this.head = element.querySelector('#playhead');
    const move = event => go(this.step(this.under(event)));
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

  // Show how long steps took, or one after the other; a session of old does not tell the time.
  toggle() {
    if (!this.byTime && !(this.lasted > 0)) return;
    this.byTime = !this.byTime;
    this.show(0, this.store.length);
  }

  // Where a step begins and ends.
  start(index) { return this.byTime ? this.times[index][0] : index; }
  end(index) { return this.byTime ? this.times[index][1] : index + 1; }

  // The step at a place: the last one that began by then.
  step(place) {
    let [low, high] = [0, this.store.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.start(middle) <= place) low = middle; else high = middle - 1;
    }
    return low;
  }

  get fewest() { return this.byTime ? this.store.length / CLOSEST : Math.min(FEWEST, this.store.length); }
  get left() { return 34; }
  get height() { return Math.round(this.lane() * this.lanes.length + 12); }
  get span() { return this.byTime ? this.to - this.from : Math.max(1, this.to - this.from); }
  lane() { return Math.max(5, Math.min(16, 110 / this.lanes.length)); }

  // The place in the session under the pointer, as a fraction of steps.
  under(event) {
    const box = this.canvas.getBoundingClientRect();
    return this.from + (event.clientX - box.left - this.left) / (box.width - this.left) * this.span;
  }

  // Show more or less, with the step *at* staying where it is.
  zoom(factor, at = this.start(this.index ?? 0)) {
    const length = this.store.length, span = Math.max(this.fewest, Math.min(length, this.span * factor));
    const share = Math.max(0, Math.min(1, (at - this.from) / this.span));
    this.show(at - share * span, at - share * span + span);
  }

  pan(by) { this.show(this.from + by, this.to + by); }

  show(from, to) {
    const length = this.store.length, span = to - from;
    const whole = place => this.byTime ? place : Math.round(place);
    this.from = whole(Math.max(0, Math.min(length - span, from)));
    this.to = Math.min(length, whole(this.from + span));
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
    for (let index = this.step(this.from); index < this.store.length && this.start(index) < this.to; index++) {
      const [, actor, , , state] = this.store.lines[index];
      const number = this.numbers.get(actor) ?? 0, wide = (this.end(index) - this.start(index)) * step;
      const place = Math.max(0, (this.start(index) - this.from) * step);
      // By steps a mark is as wide as its step, to a limit; by time as its step took.
      const size = this.byTime ? Math.max(1, wide) : wide < 2 ? 1 : Math.min(wide - 1, 14);
      const x = wide < 2 ? Math.floor(place) : this.byTime ? place : place + (wide - size) / 2;
      const key = number * 1e7 + Math.floor(x);
      if (!buckets.has(key)) buckets.set(key, {number, x, size, '': 0, f: 0, b: 0, d: 0});
      const bucket = buckets.get(key);
      bucket.size = Math.max(bucket.size, size);
      bucket[kind(state)]++;
    }
    for (const bucket of buckets.values()) {
      const total = bucket[''] + bucket.f + bucket.b + bucket.d;
      const size = bucket.size, x = this.left + bucket.x;
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
    if (this.byTime) {
      paint.fillStyle = colour('--dim');
      const [from, to] = [this.time(this.from), this.time(this.to)];
      paint.fillText(from, this.left + 2, height - 6);
      paint.fillText(to, width - paint.measureText(to).width - 4, height - 6);
    }
    if (this.span === this.store.length) return;
    // Which part of the session this is.
    const whole = (width - this.left) / this.store.length;
    paint.fillStyle = colour('--line');
    paint.fillRect(this.left, height - 4, width - this.left, 3);
    paint.fillStyle = colour('--accent');
    paint.fillRect(this.left + this.from * whole, height - 4, Math.max(3, this.span * whole), 3);
  }

  // What a place stands for since the session's first step.
  time(place) {
    const micros = place / this.store.length * this.lasted;
    return micros < 1e4 ? `${Math.round(micros)} µs` : micros < 1e7 ? `${(micros / 1e3).toFixed(1)} ms` : `${(micros / 1e6).toFixed(2)} s`;
  }

  place(index = this.index ?? 0) {
    this.index = index;
    const at = this.start(index);
    if (at < this.from || at >= this.to) this.show(at - this.span / 2, at + this.span / 2);
    this.mark();
    this.element.setAttribute('aria-valuenow', index + 1);
    this.element.setAttribute('aria-valuemin', 1);
    this.element.setAttribute('aria-valuemax', this.store.length);
  }

  mark() {
    const index = this.index ?? 0, step = (this.element.clientWidth - this.left) / this.span;
    const at = this.start(index), inside = at >= this.from && at < this.to;
    this.head.style.display = inside ? '' : 'none';
    this.head.style.left = this.left + (at - this.from) * step + 'px';
    this.head.style.width = Math.max(2, (this.end(index) - at) * step) + 'px';
    this.element.dataset.shown = this.byTime ? `${this.time(this.from)}-${this.time(this.to)}` : `${this.from + 1}-${this.to}`;
  }
}
