// Pictures of kernel objects, drawn from their members: the twin of ktrace/report/pictures/.

const PAGE = 4096;
const changedClass = changed => changed ? ' changed' : '';
const chip = (text, kind = '', title) => h('span', {class: 'chip ' + kind, title}, text);
const who = (text, title) => chip(text, 'who', title);

const PAINTERS = {pipe: drawPipe, sem: drawSem, msg: drawMsg, shm: drawShm, sock: drawSock};

// Who has an object open: [{actor, fd, mode}].
function holders(world, target) {
  const files = new Map();
  for (const [ref, value] of world) if (value.$ === 'process.File' && value.target.$ref === target) files.set(ref, value);
  const found = [];
  if (!files.size) return found;
  for (const value of world.values()) {
    if (value.$ !== 'process.Process') continue;
    for (const [fd, item] of pairs(world.get(value.files?.$ref)?.fds ?? {}))
      if (item.file && files.has(item.file.$ref))
        found.push({actor: value.name, fd: Number(keyOf(fd)), mode: files.get(item.file.$ref).f_mode});
  }
  return found.sort((one, other) => one.actor < other.actor ? -1 : one.actor > other.actor ? 1 : one.fd - other.fd);
}

function subject(world, ref) {
  const value = world.get(ref);
  if (!value) return null;
  const kind = refKind(ref);
  if (kind === 'socket') return value.sk ? subject(world, value.sk.$ref) : null;
  if (kind === 'file') return subject(world, value.target.$ref);
  if (kind === 'undo') {
    for (const [name, item] of world)
      if (refKind(name) === 'sem' && item.list_id.some(undo => undo.$ref === ref)) return name;
    return null;
  }
  if (!(kind in PAINTERS)) return null;
  if (kind === 'sock') {
    const other = peerOf(world, ref);
    if (other && peerOf(world, other) === ref && byName(other, ref) < 0) return other;
  }
  return ref;
}

// What to draw to show a step.
function involved(at) {
  const {world, before, detail} = at;
  const refs = [...Object.keys(detail.changed)];
  for (const ref of detail.gone) if (refKind(ref) === 'file') refs.push(before.get(ref)?.target.$ref);
  refs.push(...named(at));
  for (const ref of [...refs, ...detail.gone]) {
    if (refKind(ref) !== 'process') continue;
    const [then, now] = [before.get(ref)?.mappings ?? [], world.get(ref)?.mappings ?? []];
    for (const mapping of [...then, ...now])
      if (then.some(item => same(item, mapping)) !== now.some(item => same(item, mapping))) refs.push(mapping.segment.$ref);
  }
  return unique(refs.map(ref => ref && subject(world, ref)));
}

// Which arguments of a call are descriptors; the twin of ktrace/report/pictures/touched.py.
const DESCRIPTORS = {splice: [0, 2], tee: [0, 1], sendfile: [0, 1], dup2: [0, 1], dup3: [0, 1], epoll_ctl: [0, 2], mmap: [4]};
for (const name of `read write readv writev pread64 pwrite64 preadv pwritev close dup fcntl ioctl lseek fstat fchdir fchmod fchown fsync
  fdatasync ftruncate vmsplice bind listen connect accept accept4 sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg shutdown
  getsockname getpeername getsockopt setsockopt epoll_wait epoll_pwait inotify_add_watch inotify_rm_watch pidfd_send_signal setns
  signalfd4 timerfd_gettime timerfd_settime`.split(/\s+/)) DESCRIPTORS[name] = [0];

// What the call's own arguments name: the file behind its descriptor, the object of its identifier.
function named({world, before, detail, line}) {
  const [name, ...numbers] = detail.call;
  const found = [];
  if (Object.hasOwn(DESCRIPTORS, name)) {
    const process = before.get('process:' + line[1]) ?? world.get('process:' + line[1]);
    const table = process && pairs((before.get(process.files?.$ref) ?? world.get(process.files?.$ref))?.fds ?? {});
    for (const place of DESCRIPTORS[name]) {
      const file = table?.find(([fd]) => Number(keyOf(fd)) === numbers[place])?.[1].file;
      if (file) found.push((world.get(file.$ref) ?? before.get(file.$ref))?.target.$ref);
    }
  }
  const kind = name.match(/^(sem|msg|shm)(?!get)/)?.[1];
  if (kind && name !== 'shmdt')
    for (const ref of world.keys()) if (refKind(ref) === kind && refKey(ref).split('/').at(-1) === String(numbers[0])) found.push(ref);
  return found;
}

const drawable = world => unique([...world.keys()].map(ref => refKind(ref) in PAINTERS ? subject(world, ref) : null));
const unique = refs => [...new Set(refs.filter(Boolean))].sort(byName);
const byName = (one, other) => {
  const key = ref => [refKind(ref), String(ref.length).padStart(5, '0'), ref].join(' ');
  return key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : 0;
};

function picture(ref, world, before) {
  const value = world.get(ref);
  const old = before.get(ref);
  try {
    return h('figure', {class: 'picture ' + refKind(ref) + (old ? '' : ' new'), 'data-ref': ref}, PAINTERS[refKind(ref)](ref, value, old, world, before));
  } catch (error) {
    return h('figure', {class: 'picture'}, h('figcaption', {}, label(ref)), h('p', {class: 'dim'}, 'cannot be drawn: ' + error.message));
  }
}

function caption(ref, old, ...facts) {
  return h('figcaption', {}, h('b', {}, label(ref)), old ? null : chip('new', 'newchip'), facts.map(item => typeof item === 'string' ? h('span', {}, item) : item));
}

const shown = (text, changed, kind = '') => h('span', {class: kind + changedClass(changed)}, String(text));

// -- pipes

function occupied(pipe) {
  if (!(pipe.ring_size > 0 && pipe.ring_size <= 65536)) return [];
  const count = Math.min((pipe.head - pipe.tail) >>> 0, pipe.ring_size);
  return Array.from({length: count}, (_, number) => (pipe.tail + number) % pipe.ring_size);
}

function drawPipe(ref, pipe, old, world, before) {
  const buffers = new Map(pairs(pipe.bufs).map(([slot, value]) => [Number(slot), value]));
  const then = new Map(pairs(old?.bufs ?? {}).map(([slot, value]) => [Number(slot), value]));
  const used = occupied(pipe), total = used.reduce((sum, slot) => sum + (buffers.get(slot)?.len ?? 0), 0);
  const found = holders(world, ref), past = holders(before, ref);
  const side = (name, mode, queue, was) => {
    const here = found.filter(item => item.mode.includes(mode)), there = past.filter(item => item.mode.includes(mode));
    const text = item => item.actor + ':' + item.fd;
    return h('div', {class: 'side'},
      h('h4', {}, name + ' ', shown(pipe[name], old && pipe[name] !== old[name])),
      here.slice(0, 12).map(item => h('div', {}, who(text(item), 'actor:descriptor'))),
      here.length > 12 ? h('div', {class: 'dim'}, `and ${here.length - 12} more`) : null,
      there.filter(item => !here.some(other => text(other) === text(item))).slice(0, 4).map(item => h('div', {}, chip(text(item), 'lost'))),
      queue.map(item => h('div', {class: 'asleep' + changedClass(was && !was.some(other => same(other, item)))},
        '☾ ', item.process ? keyOf(item.process) : item.func === 'ep_poll_callback' ? 'an epoll set' : item.func, item.exclusive ? h('small', {}, ' exclusive') : null)));
  };
  const nameless = item => item && {...item, page: item.page !== null};  // the names of pages hold within one World only
  const fresh = slot => old && !same(nameless(then.get(slot)), nameless(buffers.get(slot)));
  return [
    caption(ref, old, `${used.length} of ${pipe.ring_size} slots`, `${total} bytes`,
      pipe.max_usage !== pipe.ring_size ? `only ${pipe.max_usage} may be used` : null,
      pipe.locked ? chip('mutex held', 'bad') : null),
    h('div', {class: 'flow'},
      side('writers', 'w', pipe.wr_wait, old?.wr_wait), h('div', {class: 'arrow'}, '▶'),
      pipe.ring_size > 0 && pipe.ring_size <= 65536 ? ring(pipe, old, buffers, used, fresh) : h('p', {class: 'bad'}, `a ring of ${pipe.ring_size} slots cannot be drawn`),
      h('div', {class: 'arrow'}, '▶'), side('readers', 'r', pipe.rd_wait, old?.rd_wait)),
    contents(pipe, old, used, buffers, then, fresh),
    fasync(pipe),
  ];
}

function ring(pipe, old, buffers, used, fresh) {
  const count = pipe.ring_size, groups = Math.min(count, 64), each = count / groups, inUse = new Set(used);
  const inner = 58, outer = 112, middle = 150;
  const point = (angle, radius) => [middle + radius * Math.sin(angle), middle - radius * Math.cos(angle)];
  const sector = (number, from, to, kind, title) => {
    const gap = groups > 1 ? 0.012 : 0, start = 2 * Math.PI * number / groups + gap, end = 2 * Math.PI * (number + 1) / groups - gap;
    const large = end - start > Math.PI ? 1 : 0;
    const [a, b, c, d] = [point(start, from), point(start, to), point(end, to), point(end, from)];
    const path = `M${a}L${b}A${to} ${to} 0 ${large} 1 ${c}L${d}A${from} ${from} 0 ${large} 0 ${a}Z`;
    return svg('path', {d: path, class: kind}, title ? svg('title', {}, title) : null);
  };
  const parts = [];
  for (let number = 0; number < groups; number++) {
    const slots = Array.from({length: Math.round((number + 1) * each) - Math.round(number * each)}, (_, item) => Math.round(number * each) + item);
    const full = slots.filter(slot => inUse.has(slot));
    const share = full.reduce((sum, slot) => sum + (buffers.get(slot)?.len ?? 0), 0) / (slots.length * PAGE);
    const stale = !full.length && slots.some(slot => buffers.has(slot));
    const name = slots.length === 1 ? `slot ${slots[0]}` : `slots ${slots[0]}–${slots.at(-1)}`;
    parts.push(sector(number, inner, outer, 'slot' + (stale ? ' stale' : ''), full.length ? null : name + (stale ? ', used before' : ', never used')));
    if (full.length) {
      const buffer = buffers.get(full[0]);
      const height = Math.max(0.1, Math.min(1, share)) * (outer - inner);
      parts.push(sector(number, inner, inner + height, 'filled' + (buffer?.flags.includes('PACKET') ? ' packet' : '') + changedClass(full.some(fresh)),
        slots.length === 1 ? `${name}: ${buffer?.len ?? '?'} bytes at ${buffer?.offset ?? '?'}, ${buffer?.flags.join('|') || 'no flags'}` : `${name}: ${full.length} in use`));
    }
    if (groups <= 32) {
      const [x, y] = point(2 * Math.PI * (number + 0.5) / groups, outer - 15);
      if (full.length === 1 && slots.length === 1 && groups <= 16) parts.push(svg('text', {x, y, class: 'len'}, buffers.get(full[0])?.len ?? '?'));
      const [p, q] = point(2 * Math.PI * (number + 0.5) / groups, inner - 9);
      parts.push(svg('text', {x: p, y: q, class: 'index'}, slots[0]));
    }
  }
  const pointer = (value, was, name) => {
    const angle = 2 * Math.PI * ((value % count) + 0.5) / count;
    const [x, y] = point(angle, outer + 6), [p, q] = point(angle, outer + 21), side = Math.sin(angle);
    const degrees = angle * 180 / Math.PI, anchor = side > 0.3 ? 'start' : side < -0.3 ? 'end' : 'middle';
    const lines = name.split('\n'), up = Math.cos(angle) > 0.9 ? 11 * (lines.length - 1) : 0;
    return svg('g', {class: 'pointer ' + lines[0] + changedClass(old && value !== was)},
      svg('path', {d: 'M0 0L-6 -11L6 -11Z', transform: `translate(${x} ${y}) rotate(${degrees})`}),
      lines.map((line, number) => svg('text', {x: p, y: q + 12 * number - up, style: {'text-anchor': anchor}}, line)));
  };
  if (pipe.head % count === pipe.tail % count) parts.push(pointer(pipe.tail, old?.tail, 'tail\n= head'));
  else parts.push(pointer(pipe.tail, old?.tail, 'tail'), pointer(pipe.head, old?.head, 'head'));
  const total = used.reduce((sum, slot) => sum + (buffers.get(slot)?.len ?? 0), 0);
  parts.push(svg('text', {x: middle, y: middle - 6, class: 'total' + changedClass(old && (old.head !== pipe.head || old.tail !== pipe.tail))}, `${used.length}/${count}`),
    svg('text', {x: middle, y: middle + 13, class: 'index'}, `${total} bytes`));
  return svg('svg', {class: 'ring', viewBox: '-36 0 372 300', role: 'img', 'aria-label': `${used.length} of ${count} slots in use`}, parts);
}

function contents(pipe, old, used, buffers, then, fresh) {
  if (!used.length) return null;
  const was = new Set(old ? occupied(old) : []), shown = new Set(used.filter((slot, place) => place < 5 || fresh(slot)).slice(0, 9));
  const draw = slot => {
    const buffer = buffers.get(slot);
    if (!buffer) return null;
    const past = then.get(slot);
    const merged = old && was.has(slot) && past && past.offset === buffer.offset && buffer.len > past.len && bytes(buffer.data).startsWith(bytes(past.data)) ? buffer.len - past.len : 0;
    return h('tr', {class: changedClass(fresh(slot))},
      h('td', {class: 'num dim'}, `[${slot}]`), h('td', {class: 'num'}, buffer.len),
      h('td', {class: 'bar'}, h('i', {style: {left: 100 * buffer.offset / PAGE + '%', width: Math.max(1, 100 * buffer.len / PAGE) + '%'}})),
      h('td', {class: 'text'}, quoted(buffer.data, 20)), h('td', {}, buffer.flags.map(flag => chip(flag, 'flag'))),
      h('td', {class: 'dim'}, (buffer.page ? keyOf(buffer.page) : 'no page') + '+' + buffer.offset + (buffer.page_count > 1 ? ` shared by ${buffer.page_count}` : '')),
      h('td', {class: 'dim'}, buffer.ops), h('td', {}, merged ? chip(`+${merged} merged`, 'newchip') : null));
  };
  const rest = used.filter(slot => !shown.has(slot)).map(draw);
  return h('div', {class: 'scroll'}, h('table', {class: 'rows'}, [...shown].map(draw), rest.length ? more(rest, 8, 'buffers') : null));
}

function fasync(pipe) {
  const parts = [['readers', pipe.fasync_readers], ['writers', pipe.fasync_writers]].filter(([, list]) => list.length);
  return parts.length ? h('p', {class: 'dim'}, parts.map(([name, list]) => `SIGIO for ${name}: ${list.map(item => `${keyOf(item.file)} (fd ${item.fd})`).join(', ')} `)) : null;
}

// -- System V

function perm(perm) {
  return h('small', {class: 'dim'}, `key ${perm.key ? '0x' + (perm.key >>> 0).toString(16) : 'IPC_PRIVATE'} · uid ${perm.uid} · mode ${octal(perm.mode & 0o777)}`, perm.deleted ? ' · removed' : '');
}

function drawSem(ref, array, old, world, before) {
  const busy = new Set();
  const queues = [];
  const add = (name, list, past, kind) => list.forEach((item, place) => {
    item.sops.forEach(sop => busy.add(sop.sem_num));
    queues.push({name, item, kind, place, fresh: past && !past.some(other => same(other, item))});
  });
  add('set', array.pending_alter, old?.pending_alter, 'alters');
  add('set', array.pending_const, old?.pending_const, 'waits for zero');
  array.sems.forEach((sem, number) => {
    add(`[${number}]`, sem.pending_alter, old?.sems[number]?.pending_alter, 'alters');
    add(`[${number}]`, sem.pending_const, old?.sems[number]?.pending_const, 'waits for zero');
    if (sem.semval || (old && old.sems[number]?.semval !== sem.semval)) busy.add(number);
  });
  let drawn = [...array.sems.keys()];
  if (drawn.length > 24) drawn = drawn.filter(number => number < 8 || busy.has(number)).slice(0, 24);
  const undos = array.list_id.map(item => item.$ref).filter(name => world.has(name));
  const row = (name, kind, cell, after) => h('tr', {class: kind}, h('th', {}, name), drawn.map(cell), h('td', {class: 'after'}, after));
  return [
    caption(ref, old, `${array.sem_nsems} semaphores`, array.use_global_lock > 0 ? 'one lock for all' : 'a lock for each', perm(array.sem_perm)),
    h('div', {class: 'scroll'}, h('table', {class: 'sems'},
      h('tr', {}, h('th', {}), drawn.map(number => h('td', {class: 'index'}, `[${number}]`)), h('td', {class: 'after'}, drawn.length < array.sems.length ? `${array.sems.length - drawn.length} more are not drawn` : null)),
      row('value', 'values', number => h('td', {}, h('b', {class: 'semval' + (array.sems[number].semval ? '' : ' zero') + changedClass(old && old.sems[number]?.semval !== array.sems[number].semval)}, array.sems[number].semval))),
      row('last changed by', 'pids', number => h('td', {class: changedClass(old && old.sems[number]?.sempid !== array.sems[number].sempid)}, array.sems[number].sempid ? who(array.sems[number].sempid) : h('span', {class: 'dim'}, '–'))),
      queues.slice(0, 24).map(({name, item, kind, place, fresh}) => row([`${place + 1}. `, who(item.pid ?? '?'), h('small', {class: 'dim'}, ` ☾ ${kind}, on ${name}`)], 'wait' + changedClass(fresh), number =>
        h('td', {}, item.sops.map((sop, index) => sop.sem_num !== number ? null : h('span', {class: 'op' + (index === item.blocking ? ' stuck' : ''), title: sop.sem_flg.join('|')}, sop.sem_op > 0 ? `+${sop.sem_op}` : sop.sem_op < 0 ? String(sop.sem_op) : '= 0', sop.sem_flg.includes('SEM_UNDO') ? '↺' : ''))))),
      undos.map(name => {
        const undo = world.get(name), past = before.get(name);
        const owners = [...world.values()].filter(value => value.$ === 'process.Process' && value.undo_list && undo.ulp && value.undo_list.$ref === undo.ulp.$ref);
        return row([owners.length ? owners.map(item => who(item.name)) : 'nobody', h('small', {class: 'dim'}, ` ↺ at exit gives back`)], 'undo', number =>
          h('td', {class: changedClass(past ? past.semadj[number] !== undo.semadj[number] : undo.semadj[number])}, undo.semadj[number] ? (undo.semadj[number] > 0 ? '+' : '') + undo.semadj[number] : h('span', {class: 'dim'}, '·')), h('small', {class: 'dim'}, label(name)));
      }))),
  ];
}

function drawMsg(ref, queue, old) {
  let fresh = queue.q_messages.length;
  if (old) {
    fresh = 0;
    for (const message of old.q_messages) if (fresh < queue.q_messages.length && same(queue.q_messages[fresh], message)) fresh++;
  }
  const wish = item => ({SEARCH_ANY: 'any', SEARCH_EQUAL: `type ${item.r_msgtype}`, SEARCH_NOTEQUAL: `not type ${item.r_msgtype}`,
    SEARCH_LESSEQUAL: `type ≤ ${item.r_msgtype}`, SEARCH_NUMBER: `copy of no. ${item.r_msgtype}`})[item.r_mode] ?? item.r_mode;
  const waits = (list, past, task, text) => list.map((item, place) => h('div', {class: 'asleep' + changedClass(past && !past.some(other => same(other, item)))},
    `${place + 1}. ☾ `, item[task] ? keyOf(item[task]) : '?', h('small', {}, ' ' + text(item))));
  const share = queue.q_qbytes > 0 ? Math.min(100, 100 * queue.q_cbytes / queue.q_qbytes) : 100;
  const drawn = queue.q_messages.slice(0, 40);
  return [
    caption(ref, old, `${queue.q_qnum} message${queue.q_qnum === 1 ? '' : 's'}`, perm(queue.q_perm)),
    h('div', {class: 'gauge'}, h('i', {style: {width: share + '%'}}), h('span', {}, shown(queue.q_cbytes, old && old.q_cbytes !== queue.q_cbytes), ' of ', shown(queue.q_qbytes, old && old.q_qbytes !== queue.q_qbytes), ' bytes')),
    h('div', {class: 'flow'},
      h('div', {class: 'side'}, h('h4', {}, 'receive'), queue.q_lrpid ? h('small', {class: 'dim'}, 'last: ' + queue.q_lrpid) : null,
        waits(queue.q_receivers, old?.q_receivers, 'r_tsk', item => wish(item) + (item.r_maxsize < 0x7fffffff ? `, ≤ ${item.r_maxsize} bytes` : ''))),
      h('div', {class: 'arrow'}, '◀'),
      h('div', {class: 'tube'}, drawn.length ? drawn.map((item, place) => h('div', {class: 'message' + changedClass(place >= fresh), title: `${item.m_ts} bytes, ${item.segments} further segments`},
        h('b', {}, 'type ' + item.m_type), h('small', {}, `${item.m_ts} bytes`, item.segments ? ` +${item.segments} seg` : ''), h('span', {class: 'text'}, quoted(item.text, 14)))) : h('span', {class: 'dim'}, 'empty'),
      queue.q_messages.length > drawn.length ? h('div', {class: 'dim'}, `and ${queue.q_messages.length - drawn.length} more`) : null),
      h('div', {class: 'arrow'}, '◀'),
      h('div', {class: 'side'}, h('h4', {}, 'send'), queue.q_lspid ? h('small', {class: 'dim'}, 'last: ' + queue.q_lspid) : null,
        waits(queue.q_senders, old?.q_senders, 'tsk', item => `${item.msgsz} bytes`))),
  ];
}

function drawShm(ref, segment, old, world, before) {
  const pages = new Map(pairs(segment.shm_file?.pages ?? {}).map(([page, data]) => [Number(page), data]));
  const past = new Map(pairs(old?.shm_file?.pages ?? {}).map(([page, data]) => [Number(page), data]));
  const count = Math.max(1, Math.ceil((segment.shm_file?.i_size ?? segment.shm_segsz) / PAGE));
  const mode = segment.shm_perm.mode, drawn = count <= 32 ? [...Array(count).keys()] : [...pages.keys()].sort((a, b) => a - b).slice(0, 32);
  const mappings = [];
  for (const [name, value] of world) {
    if (refKind(name) !== 'process') continue;
    for (const item of value.mappings) if (item.segment.$ref === ref)
      mappings.push({actor: value.name, item, fresh: old && !(before.get(name)?.mappings ?? []).some(other => same(other, item))});
  }
  return [
    caption(ref, old, `${segment.shm_segsz} bytes`, mode & 0o1000 ? chip('goes with its last user', 'warn') : null, mode & 0o2000 ? chip('locked', 'flag') : null, perm(segment.shm_perm)),
    h('div', {class: 'pages'}, drawn.map(page => h('div', {class: 'page' + (pages.has(page) ? '' : ' absent') + changedClass(old && !same(past.get(page), pages.get(page)))},
      h('small', {class: 'dim'}, 'page ' + page), h('span', {class: 'text'}, !pages.has(page) ? 'not there' : size(pages.get(page)) ? quoted(pages.get(page), 14) : 'zeros'))),
    count > 32 ? h('span', {class: 'dim'}, `${count} pages, ${pages.size} of them there`) : null),
    h('p', {}, 'attached ', shown(segment.shm_nattch, old && old.shm_nattch !== segment.shm_nattch, 'strong'), h('small', {class: 'dim'}, ` · made by ${segment.shm_cprid ?? 'nobody'} · last used by ${segment.shm_lprid ?? 'nobody'}`)),
    h('table', {class: 'rows'}, mappings.map(({actor, item, fresh}) => h('tr', {class: changedClass(fresh)}, h('td', {}, who(actor)),
      h('td', {class: 'text'}, '0x' + item.start.toString(16)), h('td', {class: 'text'}, item.protection),
      h('td', {class: 'bar wide'}, h('i', {style: {left: 100 * item.pgoff / count + '%', width: 100 * Math.min(1, Math.ceil(item.size / PAGE) / count) + '%'}})),
      h('td', {class: 'dim'}, `pages ${item.pgoff}–${item.pgoff + Math.max(1, Math.ceil(item.size / PAGE)) - 1}`)))),
  ];
}

// -- sockets

function peerOf(world, ref) {
  const sock = world.get(ref);
  if (!sock || refKind(ref) !== 'sock') return null;
  if (sock.unix) return sock.unix.peer && world.has(sock.unix.peer.$ref) ? sock.unix.peer.$ref : null;
  const inet = sock.inet;
  if (!inet || !inet.inet_dport) return null;
  for (const [other, value] of world) {
    if (refKind(other) !== 'sock' || other === ref || !value.inet || value.sk_type !== sock.sk_type || value.sk_protocol !== sock.sk_protocol) continue;
    const theirs = value.inet;
    const ours = ends(sock), others = ends(value);
    if (theirs.inet_sport === inet.inet_dport && theirs.inet_dport === inet.inet_sport && others[0] === ours[1] && others[1] === ours[0]) return other;
  }
  return null;
}

// Local and remote address as packets carry them.
function ends(sock) {
  const pair = sock.ipv6 ? [sock.ipv6.v6_rcv_saddr, sock.ipv6.v6_daddr] : [sock.inet.inet_rcv_saddr, sock.inet.inet_daddr];
  return pair.map((host) => host.replace(/^::ffff:(?=.*\.)/, ''));
}

function drawSock(ref, sock, old, world, before) {
  const other = peerOf(world, ref), two = other && other !== ref ? world.get(other) : null;
  const names = [h('b', {}, label(ref)), two ? [' ⇄ ', h('b', {}, label(other))] : null];
  let link = null;
  if (two) {
    const shut = (one, way) => one.sk_shutdown.includes(way);
    const dead = sock.sk_type === 'SOCK_STREAM' && [sock.sk_state, two.sk_state].includes('TCP_CLOSE');
    const out = !dead && !shut(sock, 'SEND_SHUTDOWN') && !shut(two, 'RCV_SHUTDOWN');
    const back = !dead && !shut(two, 'SEND_SHUTDOWN') && !shut(sock, 'RCV_SHUTDOWN') && !(sock.unix && two.unix && !two.unix.peer);
    const arrow = (y, right, open) => svg('g', {class: open ? 'open' : 'shut'}, svg('path', {d: right ? `M4 ${y}H64` : `M66 ${y}H6`}),
      open ? svg('path', {class: 'tip', d: right ? `M72 ${y}l-11 -6v12z` : `M-2 ${y}l11 -6v12z`}) : svg('path', {d: `M29 ${y - 6}l12 12m0 -12l-12 12`}));
    link = svg('svg', {class: 'link', viewBox: '-4 0 80 60', role: 'img', 'aria-label': 'connection'}, arrow(18, true, out), arrow(42, false, back));
  }
  return [
    h('figcaption', {}, names, old ? null : chip('new', 'newchip'), h('span', {}, `${sock.sk_family} ${sock.sk_type}`)),
    h('div', {class: 'pair'}, end(ref, sock, world, before), link, two ? end(other, two, world, before) : null),
  ];
}

function end(ref, sock, world, before) {
  const old = before.get(ref), front = sock.sk_socket && world.get(sock.sk_socket.$ref), past = sock.sk_socket && before.get(sock.sk_socket.$ref);
  const queued = list => list.reduce((sum, item) => sum + item.len, 0);
  const address = (host, port) => !port && (host === '0.0.0.0' || host === '::') ? '*' : (host.includes(':') ? `[${host}]` : host) + ':' + port;
  const inet = sock.inet && (sock.inet.inet_num || sock.inet.inet_dport) ? sock.inet : null;
  const listening = sock.sk_state === 'TCP_LISTEN';
  const backlog = sock.tcp ? sock.tcp.accept_queue.map(keyOf) : sock.sk_receive_queue.map(item => item.sk && keyOf(item.sk)).filter(Boolean);
  const waits = (front?.wait ?? []).map(item => [item, past && !past.wait.some(other => same(other, item))]);
  return h('div', {class: 'end'},
    h('div', {class: 'endhead'}, h('b', {}, label(ref)), front ? holders(world, sock.sk_socket.$ref).slice(0, 8).map(item => who(item.actor + ':' + item.fd)) : h('small', {class: 'dim'}, 'in no socket')),
    h('div', {}, shown(sock.sk_state, old && old.sk_state !== sock.sk_state, 'state'), ' ', front ? shown(front.state, past && past.state !== front.state, 'dim') : null),
    sock.unix?.addr ? h('div', {}, h('small', {class: 'dim'}, 'bound to '), h('span', {class: 'text'}, quoted(sock.unix.addr, 40))) : null,
    inet ? h('div', {class: 'text' + changedClass(old && !same(old.inet, inet))}, `${address(sock.ipv6 ? sock.ipv6.v6_rcv_saddr : inet.inet_rcv_saddr, inet.inet_num)} → ${address(sock.ipv6 ? sock.ipv6.v6_daddr : inet.inet_daddr, inet.inet_dport)}`) : null,
    sock.sk_shutdown.length ? h('div', {}, sock.sk_shutdown.map(item => chip(item, 'warn' + changedClass(old && !old.sk_shutdown.includes(item))))) : null,
    sock.sk_err ? h('div', {class: 'bad'}, 'sk_err ' + sock.sk_err) : null,
    listening
      ? h('div', {}, 'backlog ', shown(sock.sk_ack_backlog, old && old.sk_ack_backlog !== sock.sk_ack_backlog, 'strong'), ` of ${sock.sk_max_ack_backlog} `, backlog.map(item => chip(item)))
      : h('div', {class: 'queue' + changedClass(old && !same(old.sk_receive_queue, sock.sk_receive_queue))},
        h('small', {class: 'dim'}, sock.sk_receive_queue.length ? `receive queue, ${queued(sock.sk_receive_queue)} bytes` : 'receive queue is empty'),
        sock.sk_receive_queue.slice(0, 12).map(item => h('span', {class: 'buffer', title: `${item.len} bytes` + (item.truesize ? `, truesize ${item.truesize}` : '')}, h('span', {class: 'text'}, quoted(item.data, 18)),
          (item.unix?.fp ?? []).map(file => chip('+ ' + keyOf(file), 'flag')))),
        sock.sk_receive_queue.length > 12 ? h('small', {class: 'dim'}, ` and ${sock.sk_receive_queue.length - 12} more`) : null),
    waits.map(([item, fresh]) => h('div', {class: 'asleep' + changedClass(fresh)}, '☾ ', item.task ? keyOf(item.task) : item.func)),
    (sock.unix?.peer_wait ?? []).map(item => h('div', {class: 'asleep'}, '☾ ', item.task ? keyOf(item.task) : item.func, h('small', {}, ' for room here'))));
}
