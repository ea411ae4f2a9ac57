(function () {
  // The matrix shows some firmwares at once; the rest is in the page as letters.
  var doc = document, source = doc.getElementById('all-firmwares');
  if (!source) return;
  var data, at = 0, all = +source.dataset.firmwares; // read when somebody turns: a page is ready sooner
  var words = {p: 'pass', w: 'warn', f: 'fail', e: 'error', n: 'not-run', a: 'not-applicable'};
  var marks = {p: '✓', w: '!', f: '✗', e: '⚡', n: '–', a: '·'};
  var rows = Array.prototype.slice.call(doc.querySelectorAll('.matrix tbody tr[data-row]'));
  var heads = Array.prototype.slice.call(doc.querySelectorAll('.matrix thead tr:first-child th.v'));
  var sums = doc.querySelectorAll('.matrix .sums th.v');
  var turn = doc.querySelector('.turn'), older = turn.querySelector('[name=older]'), newer = turn.querySelector('[name=newer]');
  function show(from) {
    data = data || JSON.parse(source.textContent);
    at = Math.max(0, Math.min(all - heads.length, from));
    heads.forEach(function (h, i) {
      var c = data.columns[at + i], span = doc.createElement('span'), a = c.r ? span.appendChild(doc.createElement('a')) : span;
      if (c.r) a.href = c.r;
      a.textContent = c.n;
      h.title = c.t;
      h.dataset.name = c.n;
      h.replaceChildren(span);
      sums[i].textContent = c.k || '';
      sums[i].className = 'v sum' + (c.k ? ' fail' : '');
    });
    rows.forEach(function (r) {
      var n = +r.dataset.row, line = data.rows[n];
      heads.forEach(function (h, i) {
        var l = line[at + i], td = r.cells[h.cellIndex], v = words[l];
        td.className = 'v' + (v ? ' ' + v : '');
        td.title = data.says[n][at + i] || v || '';
        td.textContent = marks[l] || '';
        if (v) td.setAttribute('aria-label', v); else td.removeAttribute('aria-label');
      });
    });
    where();
    doc.querySelector('form.sift').dispatchEvent(new Event('input'));
  }
  function where() {
    older.disabled = at + heads.length >= all;
    newer.disabled = at === 0;
    turn.querySelector('output').textContent = (at + 1) + ' to ' + (at + heads.length) + ' of ' + all + ' firmwares, the newest first';
  }
  turn.hidden = false;
  older.addEventListener('click', function () { show(at + heads.length); });
  newer.addEventListener('click', function () { show(at - heads.length); });
  doc.addEventListener('keydown', function (e) {
    if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName)) return;
    if (e.key === 'o') show(at + heads.length);
    if (e.key === 'p') show(at - heads.length);
  });
  where();
})();
