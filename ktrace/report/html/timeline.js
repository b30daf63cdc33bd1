// The strip above everything: a lane for each actor, a mark for each step, and the playhead to drag.

class Timeline {
  constructor(element, store, go) {
    this.element = element;
    this.canvas = element.querySelector('canvas');
    this.store = store;
    this.lanes = [null, ...store.about.actors];
    this.head = element.querySelector('#playhead');
    const move = event => {
      const box = this.canvas.getBoundingClientRect();
      const share = (event.clientX - box.left - this.left) / (box.width - this.left);
      go(Math.max(0, Math.min(store.length - 1, Math.floor(share * store.length))));
    };
    this.element.addEventListener('pointerdown', event => {
      this.element.setPointerCapture(event.pointerId);
      move(event);
      this.element.onpointermove = move;
    });
    this.element.addEventListener('pointerup', () => { this.element.onpointermove = null; });
    this.element.style.height = this.height + 'px';
    new ResizeObserver(() => { this.draw(); this.place(); }).observe(element);
  }

  get left() { return 34; }
  get height() { return Math.round(this.lane() * this.lanes.length + 8); }
  lane(number) { return Math.max(5, Math.min(16, 110 / this.lanes.length)); }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const width = this.element.clientWidth, lane = this.lane(), height = this.height;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const paint = this.canvas.getContext('2d');
    paint.scale(ratio, ratio);
    const colours = getComputedStyle(document.documentElement);
    const colour = name => colours.getPropertyValue(name).trim();
    const step = (width - this.left) / Math.max(1, this.store.length);
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
    this.store.lines.forEach(([, actor, , , state], index) => {
      const number = Math.max(0, this.lanes.indexOf(actor)), column = step < 2 ? Math.floor(index * step) : index;
      const key = number * 1e7 + column;
      if (!buckets.has(key)) buckets.set(key, {number, column, '': 0, f: 0, b: 0, d: 0});
      buckets.get(key)[kind(state)]++;
    });
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
  }

  place(index = this.index ?? 0) {
    this.index = index;
    const width = this.element.clientWidth - this.left, step = width / Math.max(1, this.store.length);
    this.head.style.left = this.left + index * step + 'px';
    this.head.style.width = Math.max(2, step) + 'px';
    this.element.setAttribute('aria-valuenow', index + 1);
    this.element.setAttribute('aria-valuemax', this.store.length);
  }
}
