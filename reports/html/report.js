(function () {
  // j and k go from one failure to the next.
  var f = Array.prototype.slice.call(document.querySelectorAll('section.f')), at = -1;
  document.addEventListener('keydown', function (e) {
    if (e.ctrlKey || e.metaKey || e.altKey || !f.length || (e.key !== 'j' && e.key !== 'k')) return;
    at = Math.max(0, Math.min(f.length - 1, at + (e.key === 'j' ? 1 : -1)));
    f[at].scrollIntoView();
    f[at].focus();
  });
})();
