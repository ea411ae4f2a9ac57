(function () {
  var doc = document, all = function (q) { return Array.prototype.slice.call(doc.querySelectorAll(q)); };
  var typing = function (e) { return /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) && e.target.type !== 'checkbox'; };

  // What is left out is left out of the screen only: paper has everything.
  var form = doc.querySelector('form.sift'), at = -1;
  function sift() {
    var red = form.red.checked, want = form.find.value.trim().toLowerCase();
    var has = function (text) { return text.toLowerCase().indexOf(want) >= 0; };
    var rows = all('.matrix tbody tr:not(.area)'), heads = all('.matrix thead tr:first-child th.v');
    var byRow = rows.map(function (r) { return has(r.cells[0].textContent + ' ' + r.cells[1].textContent); });
    var byHead = heads.map(function (h) { return has(h.dataset.name); });
    var anyRow = byRow.indexOf(true) >= 0, anyHead = byHead.indexOf(true) >= 0, area = null, shown = 0, css = [];
    rows.forEach(function (r, i) {
      var out = red && r.classList.contains('green') || (anyRow ? !byRow[i] : !anyHead);
      r.classList.toggle('out', out);
      if (!out) shown++;
    });
    all('.matrix tbody tr').forEach(function (r) {
      if (r.classList.contains('area')) { area = r; area.classList.add('out'); } else if (area && !r.classList.contains('out')) area.classList.remove('out');
    });
    var sums = all('.matrix .sums th.v'), boards = 0;
    heads.forEach(function (h, i) {
      if (red && !sums[i].textContent || anyHead && !byHead[i]) css.push('.matrix tr:not(.area)>:nth-child(' + (h.cellIndex + 1) + ')'); else boards++;
    });
    columns.textContent = css.length ? '@media screen{' + css.join() + '{display:none}}' : '';
    all('.seek').forEach(function (x) { x.classList.toggle('out', !!(red && x.classList.contains('green') || want && !has(x.textContent + ' ' + (x.dataset.on || '')))); });
    unfold(want, has);
    form.lastElementChild.textContent = red || want ? shown + ' of ' + rows.length + ' specs, ' + boards + ' of ' + heads.length + ' devices' : '';
    at = -1;
  }

  // A hit is not left inside a fold, and a fold without one is left out.
  var opened = [];
  function unfold(want, has) {
    opened.forEach(function (d) { d.open = false; });
    opened = [];
    all('details').forEach(function (d) {
      var found = d.querySelector('.seek:not(.out)'), list = d.querySelector('.seek');
      d.classList.toggle('out', !!(list && !found));
      if (want && !d.open && (found || holdsTheHit(d, has))) { d.open = true; opened.push(d); }
    });
  }
  // Of a card it opens what alone has the words: its timeline may be long.
  function holdsTheHit(d, has) {
    var card = d.closest('.seek:not(.out)');
    if (!card || !has(d.textContent)) return false;
    var open = card.cloneNode(true);
    Array.prototype.forEach.call(open.querySelectorAll('details'), function (x) { x.remove(); });
    return !has(open.textContent);
  }

  all('.hint').forEach(function (p) { p.hidden = false; }); // there are no keys without this script
  if (form) {
    var columns = doc.head.appendChild(doc.createElement('style'));
    form.hidden = false;
    form.addEventListener('input', sift);
    form.addEventListener('submit', function (e) { e.preventDefault(); });
    if (form.red.checked || form.find.value) sift(); // a browser that comes back fills them in
  }

  doc.addEventListener('keydown', function (e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === 'Escape' && form) { form.reset(); sift(); doc.activeElement.blur(); return; }
    if (typing(e)) return;
    if (e.key === '/' && form) { e.preventDefault(); form.scrollIntoView(); form.find.focus(); return; }
    if (e.key === 'n' && form) { form.red.checked = !form.red.checked; sift(); return; }
    // j and k go from one failure to the next.
    var f = all('section.f:not(.out)');
    if (!f.length || e.key !== 'j' && e.key !== 'k') return;
    at = Math.max(0, Math.min(f.length - 1, at + (e.key === 'j' ? 1 : -1)));
    f[at].scrollIntoView();
    f[at].focus();
  });

  // Paper has no folds.
  var folded = [];
  window.addEventListener('beforeprint', function () { folded = all('details:not([open])'); folded.forEach(function (d) { d.open = true; }); });
  window.addEventListener('afterprint', function () { folded.forEach(function (d) { d.open = false; }); folded = []; });
})();
