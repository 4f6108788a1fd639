/* Frames of the page's data, and lengths in millimetres where the image says so, else in pixels. ES5. */
(function (root) {
  'use strict';

  /* A fact of one frame: from the columns where frames differ, else from what they have in common. */
  function fact(series, name, frame) {
    var column = series.columns[name];
    return column ? column[frame] : series.common[name];
  }

  function instanceOf(series, frame) {
    return series.prefix + fact(series, 'instance', frame);
  }

  function isGrey(series, frame) {
    return fact(series, 'samples', frame) === 1 && fact(series, 'photometric', frame) !== 'PALETTE COLOR';
  }

  /* An ultrasound region in centimetres that holds both points (pixels of the image). */
  function regionOf(regions, a, b) {
    for (var i = 0; regions && i < regions.length; i += 1) {
      var r = regions[i];
      var holds = function (p) { return p[0] >= r.x0 && p[0] <= r.x1 && p[1] >= r.y0 && p[1] <= r.y1; };
      if (r.unit_x === 'cm' && r.unit_y === 'cm' && holds(a) && holds(b)) { return r; }
    }
    return null;
  }

  /* The length between two points, each a fraction of the image's columns and rows. */
  function lengthText(series, frame, from, to) {
    var columns = fact(series, 'columns', frame);
    var rows = fact(series, 'rows', frame);
    var a = [from[0] * columns, from[1] * rows];
    var b = [to[0] * columns, to[1] * rows];
    var spacing = fact(series, 'spacing', frame);
    var kind = fact(series, 'spacing_kind', frame);
    var region = regionOf(fact(series, 'regions', frame), a, b);
    var dx = b[0] - a[0];
    var dy = b[1] - a[1];
    if (region) {
      return text(Math.abs(dx * region.dx) * 10, Math.abs(dy * region.dy) * 10, 'mm');
    }
    if (spacing && kind !== 'none') {
      return text(dx * spacing[1], dy * spacing[0], kind === 'detector' ? 'mm（探测器平面）' : 'mm');
    }
    return text(dx, dy, 'px');
  }

  function text(dx, dy, unit) {
    return Math.sqrt(dx * dx + dy * dy).toFixed(1) + ' ' + unit;
  }

  root.filmMeasure = { fact: fact, instanceOf: instanceOf, isGrey: isGrey, lengthText: lengthText };
})(window);
