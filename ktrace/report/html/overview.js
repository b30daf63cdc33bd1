// What the page opens on: what was there, what happened, what was checked and by which rules.

function drawOverview({overview, manifest, end, steps, truncated, diverged, places, title}, go) {
  const row = (name, ...cells) => h('tr', {}, h('td', {}, name), cells.map(cell => h('td', {class: 'num'}, cell)));
  const head = (...names) => h('tr', {}, names.map((name, place) => h('th', {class: place ? 'num' : ''}, name)));
  const some = (rows, limit, draw, what) => [draw(rows.slice(0, limit)),
    rows.length > limit ? h('details', {}, h('summary', {}, `and ${many(rows.length - limit, what)} more`), draw(rows.slice(limit))) : null];
  const step = (number, ...text) => h('li', {}, h('button', {class: 'link', onclick: () => go(number)}, String(number)), ' ', text);
  const table = (heads, rows) => h('table', {class: 'rows'}, head(...heads), rows);
  const card = (name, small, ...content) => h('section', {class: 'card'}, h('h3', {}, name, ' ', small ? h('small', {class: 'dim'}, small) : null), content);
  const fact = (name, value) => value === undefined || value === null || value === '' ? null : h('tr', {}, h('td', {class: 'dim'}, name), h('td', {class: 'text'}, String(value)));
  const ms = ns => (ns / 1e6).toFixed(ns < 1e7 ? 2 : 0) + ' ms';
  const status = diverged !== null ? 'diverged' : end ? end.end : 'cut off';
  const time = overview.calls.reduce((sum, item) => sum + item[3], 0);
  return [
    h('div', {class: 'call'}, h('b', {class: status === 'agreed' ? 'ok' : truncated ? 'wait' : 'bad'}, status), h('span', {},
      end ? `${many(steps, 'step')}, ${many(end.objects, 'object')}, ${many(end.fields, 'field')} compared` + (end.held ? `, ${end.held} of them with a rule’s leave` : '') : many(steps, 'step'),
      end?.message ? `: ${end.message}` : '')),
    diverged !== null ? h('p', {}, h('button', {class: 'link', onclick: () => go(diverged)}, `to the divergence at step ${diverged}`)) : null,
    h('div', {class: 'cards'},
      card('what ran', '', h('table', {class: 'rows'}, fact('workload', manifest.workload), fact('title', title), fact('image', manifest.image), fact('kernel', manifest.release && 'Linux ' + manifest.release),
        fact('build-id', manifest.build_id), fact('accelerator', manifest.accelerator), fact('memory', manifest.memory_mib && manifest.memory_mib + ' MiB'), fact('began', manifest.began),
        fact('command', manifest.command), fact('ktrace', manifest.ktrace))),
      overview.actors.length ? card('who acted', many(overview.actors.length, 'actor'), some(overview.actors, 12, rows => table(['actor', 'steps', 'failed', 'slept'], rows.map(([name, ...counts]) => row(who(name), ...counts))), 'actor')) : null,
      card('what was there', 'objects that the actors could reach', some(overview.kinds, 12, rows => table(['kind', 'at first', 'at most', 'at the end'], rows.map(([kind, ...counts]) => row(kind, ...counts))), 'kind')),
      card('what happened', `${many(overview.calls.length, 'kind')} of calls, ${ms(time)}`, some(overview.calls, 12, rows => table(['call', 'times', 'failed', 'took'], rows.map(([name, count, failed, took]) => row(h('code', {}, name), count, failed || '', ms(took)))), 'call'),
        h('p', {class: 'wrap'}, overview.events.map(([what, count]) => chip(`${what} × ${count}`)), overview.errors.map(([what, count]) => chip(`${what} × ${count}`, 'bad')))),
      overview.scenes.length ? card('in its own words', '', some(overview.scenes, 14, rows => h('ul', {class: 'steps'}, rows.map(([number, text]) => step(number, text))), 'comment')) : null,
      overview.notable.length ? card('what failed or slept', many(overview.notable.length, 'step'), some(overview.notable, 12, rows => h('ul', {class: 'steps'}, rows.map(([number, actor, text, answer]) =>
        step(number, who(actor ?? 'ktrace'), h('code', {}, text), ' = ', h('b', {class: answer === 'blocked' ? 'wait' : 'bad'}, answer)))), 'step')) : null,
      card('what was checked', end ? `${many(end.fields, 'field')} of ${many(end.objects, 'object')}` : '', h('p', {}, 'After every step the result, who sleeps where, and every member of every object above were read from the kernel’s memory and compared with what a model of it says.'),
        overview.rules.length ? [h('h4', {}, 'by the rules that mirror ', h('small', {class: 'dim'}, many(overview.rules.length, 'kernel function'), ', in so many steps')),
          some(overview.rules, 14, rows => h('table', {class: 'rows'}, rows.map(([rule, count]) => {
            const name = rule.split(' ').at(-1).replace('()', '');
            return h('tr', {}, h('td', {class: 'num dim'}, count), h('td', {}, h('code', {}, name + '()'), ' ', h('small', {class: 'dim'}, source(places[name] ?? rule.split(':')[0]))));
          })), 'function')] : h('p', {class: 'dim'}, 'the rules of each step were not asked for (--rules)'),
        overview.choices.length ? [h('h4', {}, 'left to the kernel ', h('small', {class: 'dim'}, 'so many values, each held to a rule')),
          some(overview.choices, 8, rows => h('table', {class: 'rows'}, rows.map(([rule, count]) => h('tr', {}, h('td', {class: 'num dim'}, count), h('td', {}, rule)))), 'rule')] : null)),
  ];
}
