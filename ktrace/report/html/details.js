// Where a function stands in the source, as a link where the page was told of a place to link to.
let sourceLink = '';
function source(place) {
  const [, file, line] = String(place).match(/^(.*):(\d+)$/) ?? [];
  if (!sourceLink || !file) return h('span', {class: 'source'}, place);
  return h('a', {class: 'source', href: sourceLink.replaceAll('{file}', file).replaceAll('{line}', line), target: '_blank', rel: 'noreferrer'}, place);
}

// The right side: one step with its call, its pictures, what changed, the functions it went through.

function drawDetail(at, options) {
  const [number, actor, , , state] = at.line, detail = at.detail;
  const refs = options.all ? drawable(at.world) : involved(at);
  const shown = refs.slice(0, 40);
  const outcome = state.includes('b') ? 'wait' : state.includes('f') ? 'bad' : 'ok';
  return [
    h('div', {class: 'call'}, h('span', {class: 'number'}, number), chip(actor ?? 'ktrace', 'who big'),
      h('code', {}, detail.text, h('span', {class: 'dim'}, ' = '), h('b', {class: outcome}, detail.answer)), drawMoment(detail)),
    detail.comment ? h('p', {class: 'comment'}, detail.comment) : null,
    drawVerdicts(detail, options),
    drawEvents(at, options),
    drawConsole(detail),
    drawProbes(detail, options),
    drawTraced(detail, options),
    h('div', {class: 'pictures'}, shown.map(ref => picture(ref, at.world, at.before)),
      refs.length > shown.length ? h('p', {class: 'dim'}, `and ${refs.length - shown.length} more`) : null,
      at.detail.gone.filter(ref => refKind(ref) in PAINTERS).map(ref => h('figure', {class: 'picture gone'}, h('figcaption', {}, h('b', {}, label(ref)), chip('gone', 'lost')))),
      !shown.length && !detail.gone.length ? h('p', {class: 'dim none'}, Object.keys(detail.changed).length ? 'no picture: only what is listed below changed' : 'this step changed nothing that is watched') : null),
    drawChanges(at, options),
    drawChoices(detail, options),
    drawRules(detail, options),
    drawFunctions(detail, options),
    drawWorld(at),
    (detail.more ?? []).map(item => h('details', {}, h('summary', {}, 'also recorded'), h('pre', {}, JSON.stringify(item, null, 1)))),
  ];
}

function drawVerdicts({verdict}, {places}) {
  if (!verdict) return null;
  return h('div', {class: 'verdict'}, h('h3', {}, 'the kernel and the model disagree'),
    verdict.differences.length ? h('table', {class: 'rows'}, h('tr', {}, h('th', {}, 'field'), h('th', {}, 'observed'), h('th', {}, 'allowed')),
      verdict.differences.map(item => h('tr', {}, h('td', {class: 'text'}, item.path), h('td', {class: 'text bad'}, item.observed), h('td', {class: 'text ok'}, item.expected)))) : null,
    verdict.complaints.map(item => h('p', {}, item)),
    verdict.rules.length ? h('p', {}, 'the rule mirrors ', verdict.rules.map(item => { const name = item.split(' ').at(-1).replace('()', ''); return h('code', {class: 'source'}, places[name] ? `${name}() ${places[name]}` : item); })) : null);
}

function drawEvents({detail, line}, {places}) {
  const actor = line[1], rows = [];
  for (const name of detail.blocked) {
    const where = detail.sleeps?.[name];
    if (name === actor || where) rows.push(h('li', {class: name === actor ? 'wait' : 'dim'}, '☾ ', who(name), name === actor ? ' now sleeps' : ' still sleeps', where ? [' in ', where.slice(0, 6).map((name, index) => [index ? ' ← ' : '', h('code', {title: places[name]}, name)])] : null));
  }
  for (const event of detail.events) {
    if (event.$ === 'call.Signalled') rows.push(h('li', {}, '↯ ', who(event.actor), ` caught ${event.signal}`, event.sender ? ` from ${event.sender}` : ''));
    else if (event.$ === 'call.Exited') rows.push(h('li', {}, '✕ ', who(event.actor), event.signal ? ` was killed by ${event.signal}` : ` exited ${event.status}`));
    else if (event.$ === 'call.Stopped') rows.push(h('li', {}, '‖ ', who(event.actor), ` stopped by ${event.signal}`));
    else if (event.$ === 'call.Continued') rows.push(h('li', {}, '▸ ', who(event.actor), ' continued'));
    else if (event.$ === 'call.Completed' && event.actor !== actor) rows.push(h('li', {class: 'woken'}, '↑ ', who(event.actor), ` woken: its call returned ${event.result.errno ?? event.result.value} `,
      pairs(event.result.out).map(([name, value]) => h('code', {}, `${keyOf(name)} ${short(value)} `))));
  }
  return rows.length ? h('ul', {class: 'events'}, rows) : null;
}

// When it was: on the host since the session began, and by the guest's clock.
function drawMoment({host, clock}) {
  if (!host) return null;
  const guest = clock?.[1] ? `; in the guest ${new Date(clock[1] * 1000).toISOString().slice(0, 19).replace('T', ' ')}` : '';
  return h('small', {class: 'dim moment', title: `on the host ${(host[0] / 1e9).toFixed(6)} s after the session began, for ${((host[1] - host[0]) / 1e6).toFixed(3)} ms${guest}`},
    `+${(host[0] / 1e9).toFixed(3)} s`);
}

function drawConsole({console: lines, after}) {
  const draw = (title, text) => text ? h('section', {class: 'console'}, h('h3', {}, title), h('pre', {}, text.join('\n'))) : null;
  return [draw('the kernel printed', lines), draw('after this step, which is the last, the kernel printed', after)];
}

// What was seen where the guest was stopped in the middle of the call.
function drawProbes({probes}, {places}) {
  if (!probes?.length) return null;
  // drgn writes C's types in front of values.
  const typed = text => { const [, type, rest] = text.match(/^(\([^()]*\))?([^]*)$/); return [type ? h('span', {class: 'dim'}, type) : null, rest]; };
  const draw = hit => h('div', {class: 'hit'},
    h('div', {}, who(hit.actor), h('code', {}, hit.function, '(', Object.entries(hit.arguments).map(([name, value], index) => [index ? ', ' : '', h('span', {class: 'dim'}, name + '='), typed(value)]), ')'),
      places[hit.function] ? h('small', {class: 'dim'}, source(places[hit.function])) : null),
    h('table', {class: 'rows'}, Object.entries(hit.shown).map(([text, value]) => h('tr', {}, h('td', {class: 'text field'}, text), h('td', {class: 'text lines'}, typed(value))))),
    hit.stack.length ? h('details', {}, h('summary', {}, h('small', {class: 'dim'}, `called by ${hit.stack[0]}`, hit.stack.length > 1 ? ` and ${hit.stack.length - 1} more` : '')),
      hit.stack.map(name => h('div', {class: 'leaf'}, h('code', {}, name), h('small', {class: 'dim'}, places[name] ? source(places[name]) : '')))) : null);
  return h('section', {class: 'probes'}, h('h3', {}, 'on the way ', h('small', {class: 'dim'}, many(probes.length, 'stop'))), probes.slice(0, 200).map(draw),
    probes.length > 200 ? h('p', {class: 'dim'}, `and ${probes.length - 200} more`) : null);
}

// What tracepoints and kprobes recorded: [ns, whose, name, fields].
function drawTraced({traced}, {places}) {
  if (!traced || !(traced.rows.length || traced.lost)) return null;
  const shown = traced.rows.slice(0, 300), first = shown[0]?.[0];
  return h('section', {class: 'traced'}, h('h3', {}, 'tracepoints and kprobes ', h('small', {class: 'dim'}, many(traced.rows.length, 'event'))),
    traced.lost ? h('p', {class: 'bad'}, `${traced.lost} events were lost`) : null,
    h('table', {class: 'rows'}, shown.map(([time, actor, name, fields]) => h('tr', {}, h('td', {class: 'num dim'}, `+${((time - first) / 1000).toFixed(1)} µs`), h('td', {}, who(actor)),
      h('td', {}, h('code', {title: places[name.replace('%return', '')]}, name)), h('td', {class: 'text lines'}, Object.entries(fields).map(([key, value], index) => [index ? ', ' : '', h('span', {class: 'dim'}, key + '='), value]))))),
    traced.rows.length > shown.length ? h('p', {class: 'dim'}, `and ${traced.rows.length - shown.length} more`) : null);
}

function drawChanges(at, options) {
  const {detail, before} = at, groups = [], whole = [];
  for (const ref of unique([...Object.keys(detail.changed), ...detail.gone])) {
    const old = before.has(ref) ? before.get(ref) : ABSENT, now = ref in detail.changed ? detail.changed[ref] : ABSENT;
    const name = h('td', {class: 'object'}, h('button', {class: 'link', title: 'only steps that touch it', onclick: () => options.search(label(ref))}, label(ref)));
    if (old === ABSENT) whole.push(h('tr', {}, name, h('td', {}, chip('new', 'newchip')), h('td', {class: 'text'}, short(now))));
    else if (now === ABSENT) whole.push(h('tr', {}, name, h('td', {}, chip('gone', 'lost')), h('td', {class: 'text dim'}, short(old))));
    else {
      const items = [...differ('', old, now)];
      const rows = items.map((item, index) => h('tr', {}, index ? h('td', {}) : name, h('td', {class: 'text field'}, item.path),
        h('td', {class: 'text before'}, short(item.before)), h('td', {class: 'dim'}, '→'), h('td', {class: 'text after'}, short(item.after))));
      groups.push(...rows.slice(0, 60));
      if (rows.length > 60) groups.push(more(rows.slice(60), 5, 'fields'));
    }
  }
  // What is new as a whole has a table of its own: its long lines would tear before and after apart.
  const table = rows => rows.length ? h('div', {class: 'scroll'}, h('table', {class: 'rows'}, rows)) : null;
  return groups.length || whole.length ? h('section', {class: 'changes'}, h('h3', {}, 'what changed'), table(groups), table(whole)) : null;
}

// A row that stands for *rows*, and gives way to them when it is pressed.
function more(rows, columns, what) {
  const row = h('tr', {}, h('td', {}), h('td', {colspan: columns - 1}, h('button', {class: 'link', onclick: () => row.replaceWith(...rows)}, `and ${rows.length} more ${what}`)));
  return row;
}

// What no model can predict: [source, function, what is open, [[field, what the kernel has, false where that is not allowed]]].
function drawChoices({choices}, {places}) {
  if (!choices?.length) return null;
  const used = ([field, taken, allowed]) => h('div', {class: allowed === false ? 'text bad' : 'text'}, field ? [field, h('span', {class: 'dim'}, ' = ')] : null, taken);
  const refused = choices.some(([, , , items]) => items.some(item => item[2] === false));
  return h('details', {class: 'choices', open: refused}, h('summary', {}, h('h3', {}, 'left to the kernel ', h('small', {class: 'dim'}, many(choices.length, 'rule')))),
    h('table', {class: 'rows'}, choices.map(([file, name, what, items]) => h('tr', {}, h('td', {}, h('code', {}, name + '()'), ' ', what, ' ', h('small', {class: 'dim'}, source(places[name] ?? file))),
      h('td', {}, items.slice(0, 20).map(used), items.length > 20 ? h('div', {class: 'dim'}, `and ${items.length - 20} more`) : null)))));
}

// The kernel functions that the model's rules for this step mirror.
function drawRules({rules}, {places}) {
  if (!rules?.length) return null;
  return h('details', {class: 'rules'}, h('summary', {}, h('h3', {}, 'the model\u2019s rules mirror ', h('small', {class: 'dim'}, many(rules.length, 'kernel function')))),
    h('ul', {}, rules.map(item => {
      const name = item.split(' ').at(-1).replace('()', '');
      return h('li', {}, h('code', {}, name + '()'), h('small', {}, source(places[name] ?? item.split(':')[0])));
    })));
}

// What the kernel does for itself in the middle of a call: page faults, memory, waking. Folded, as nobody asked for it.
const CHORES = /^(handle_mm_fault|lock_mm_and_find_vma|exc_page_fault|__?kmalloc|kmem_cache_|kmalloc_trace|kvmalloc|kfree|kvfree|__?alloc_pages|try_to_wake_up|call_rcu|schedule$|exit_mm|mmput)/;

// What gcc made part of a function: that it stands there is known from DWARF, not that it ran.
function drawInlined(items) {
  if (!items.length) return null;
  return h('details', {class: 'inlined'}, h('summary', {}, h('small', {class: 'dim'}, many(items.length, 'inlined function'))),
    items.map(([name, place]) => h('div', {class: 'leaf'}, h('code', {class: 'dim'}, name), h('small', {class: 'dim'}, source(place)))));
}

// A function graph is flat: [depth, name, start, duration, continued], what follows deeper belongs to what stands before.
function drawFunctions({functions}, {places}) {
  if (!functions) return null;
  const time = ns => ns === null || ns === undefined ? 'does not return' : ns < 1e6 ? (ns / 1000).toPrecision(3) + ' µs' : (ns / 1e6).toPrecision(3) + ' ms';
  const nest = rows => {
    const roots = [], open = [];
    for (const row of rows) {
      const node = {depth: row[0], name: functions.names[row[1]], duration: row[3], continued: row[4], children: []};
      while (open.length && open.at(-1).depth >= node.depth) open.pop();
      (open.length ? open.at(-1).children : roots).push(node);
      open.push(node);
    }
    return roots;
  };
  // Neighbours that are the same function with nothing below share a line.
  const fold = nodes => {
    const out = [];
    for (const node of nodes) {
      const last = out.at(-1);
      if (last && last.name === node.name && !last.children.length && !node.children.length && last.duration !== undefined && node.duration !== undefined) {
        last.count++;
        last.duration += node.duration;
      } else out.push({...node, count: 1});
    }
    return out;
  };
  const draw = (node, level) => {
    const line = [h('code', {}, node.name), h('small', {class: 'dim'}, ' ', node.count > 1 ? `× ${node.count}, ` : '', node.continued ? 'goes on, ' : '', time(node.duration), ' ', places[node.name] ? source(places[node.name]) : '')];
    const inside = functions.inlined?.[node.name] ?? [];
    if (!node.children.length && !inside.length) return h('div', {class: 'leaf'}, line);
    const element = h('details', {open: node.children.length && level < 4 && !CHORES.test(node.name)}, h('summary', {}, line));
    // Folded branches are made when they are opened: a step may have thousands of functions.
    const grow = () => { if (element.open && element.childElementCount === 1) element.append(...[...fold(node.children).map(child => draw(child, level + 1)), drawInlined(inside)].filter(Boolean)); };
    element.addEventListener('toggle', grow);
    grow();
    return element;
  };
  const count = Object.values(functions.spans).reduce((sum, rows) => sum + rows.length, 0);
  if (!count && !functions.lost) return null;
  return h('section', {class: 'functions'}, h('h3', {}, 'functions ', h('small', {class: 'dim'}, many(count, 'call'))),
    functions.lost ? h('p', {class: 'bad'}, `${functions.lost} events were lost`) : null,
    Object.entries(functions.spans).map(([actor, rows]) => h('div', {class: 'tree'}, who(actor), fold(nest(rows)).map(node => draw(node, 0)))));
}

function drawWorld(at) {
  const refs = unique([...at.world.keys()]);
  const element = h('details', {class: 'world'}, h('summary', {}, h('h3', {}, `everything after this step `, h('small', {class: 'dim'}, many(refs.length, 'object')))));
  element.addEventListener('toggle', () => {
    if (!element.open || element.childElementCount > 1) return;
    element.append(...refs.map(ref => {
      const item = h('details', {class: ref in at.detail.changed ? 'changed' : ''}, h('summary', {}, h('code', {}, label(ref))));
      item.addEventListener('toggle', () => {
        if (item.open && item.childElementCount === 1) item.append(h('table', {class: 'rows'}, members(at.world.get(ref)).map(([name, value]) => h('tr', {}, h('td', {class: 'dim'}, name), h('td', {class: 'text'}, short(value, true))))));
      });
      return item;
    }));
  });
  return element;
}
