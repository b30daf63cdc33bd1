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
    new ResizeObserver(() => { this.draw(); this.place(); }).observe(element);
  }

  get left() { return 34; }
  lane(number) { return Math.max(5, Math.min(16, 110 / this.lanes.length)); }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const width = this.element.clientWidth, lane = this.lane(), height = Math.round(lane * this.lanes.length + 8);
    this.element.style.height = height + 'px';
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
    const order = {'': 0, f: 1, b: 2, d: 3};
    const hues = {'': colour('--ok'), f: colour('--bad'), b: colour('--wait'), d: colour('--diverged')};
    const marks = [...this.store.lines.keys()];
    const rank = index => Math.max(...[...this.store.lines[index][4]].map(item => order[item] ?? 0), 0);
    marks.sort((one, other) => rank(one) - rank(other));
    for (const index of marks) {
      const [, actor, , , state] = this.store.lines[index];
      const number = this.lanes.indexOf(actor);
      paint.fillStyle = hues[state.slice(-1)] ?? hues[''];
      const size = Math.max(1, Math.min(step - 1, 14));
      const tall = state.includes('d') ? lane - 1 : lane - 5;
      paint.fillRect(this.left + index * step + Math.max(0, (step - size) / 2), 4 + number * lane + (lane - tall) / 2, size, tall);
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
