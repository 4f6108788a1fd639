/* The film for browsers without modules (IE11): pictures from the server, tools in the page. ES5 only. */
(function () {
  'use strict';
  var measure = window.filmMeasure;
  var data = JSON.parse(byId('film-data').textContent);
  var PRESETS = [
    ['默认窗', null], ['肺', [-600, 1500]], ['纵隔', [40, 400]], ['骨', [400, 1800]], ['脑', [40, 80]],
    ['腹部', [60, 350]]
  ];
  var SIDE = Math.min(1024, Math.max(256, Math.max(window.screen.width, window.screen.height)));
  var stage = byId('stage');
  var canvas = byId('lines');
  var state = { series: 0, frame: 0, window: null, zoom: 1, x: 0, y: 0, tool: 'scroll' };
  var shown = null;
  var lines = {};
  var drag = null;
  var picture = new window.FilmPicture(byId('shown'), byId('coming'), told);

  function byId(id) { return document.getElementById(id); }

  function series() { return data.series[state.series]; }

  function defaultWindow(one, frame) {
    var center = measure.fact(one, 'center', frame);
    var width = measure.fact(one, 'width', frame);
    return center && center.length ? { center: center[0], width: width[0] } : null;
  }

  function query() {
    var one = series();
    var text = '?series=' + encodeURIComponent(one.uid) +
      '&instance=' + encodeURIComponent(measure.instanceOf(one, state.frame)) +
      '&frame=' + measure.fact(one, 'frame', state.frame) + '&size=' + SIDE;
    if (state.window && measure.isGrey(one, state.frame)) {
      text += '&center=' + state.window.center + '&width=' + state.window.width;
    }
    return text;
  }

  function ask() {
    picture.want({
      url: '/exams/' + data.exam + '/film/render' + query(),
      series: state.series,
      frame: state.frame,
      window: state.window
    });
  }

  function told(kind, wish) {
    if (kind === 'failed') {
      say('这一幅暂时不能显示，请稍后重试或刷新页面。');
      return;
    }
    shown = wish;
    say('');
    layout();
  }

  function say(text) {
    byId('say').textContent = text;
    byId('say').style.display = text ? 'block' : 'none';
  }

  function goTo(number, frame) {
    var one = data.series[number];
    if (number !== state.series) { state.window = null; lightSeries(number); byId('presets').value = '0'; }
    state.series = number;
    state.frame = Math.max(0, Math.min(one.count - 1, frame));
    ask();
  }

  /* Where the picture lies on the stage; proportions are those of the JPEG, which the server made right. */
  function layout() {
    var width = stage.clientWidth;
    var height = stage.clientHeight;
    var image = picture.shown;
    if (!shown || !image.naturalWidth) { return; }
    var fit = Math.min(width / image.naturalWidth, height / image.naturalHeight) * state.zoom;
    var w = image.naturalWidth * fit;
    var h = image.naturalHeight * fit;
    picture.place({ left: (width - w) / 2 + state.x, top: (height - h) / 2 + state.y, width: w, height: h });
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    draw();
  }

  function draw() {
    var context = canvas.getContext('2d');
    var own = lines[key(shown)] || [];
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (var i = 0; i < own.length; i += 1) { drawLine(context, own[i]); }
    if (drag && drag.line && key(drag.on) === key(shown)) { drawLine(context, drag.line); }
    writeTexts();
  }

  function drawLine(context, line) {
    var a = toStage(line[0]);
    var b = toStage(line[1]);
    var label = measure.lengthText(data.series[shown.series], shown.frame, line[0], line[1]);
    context.strokeStyle = '#ffd400';
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(a[0], a[1]);
    context.lineTo(b[0], b[1]);
    context.stroke();
    context.font = '16px sans-serif';
    context.lineWidth = 3;
    context.strokeStyle = '#000';
    context.strokeText(label, b[0] + 8, b[1] - 8);
    context.fillStyle = '#ffd400';
    context.fillText(label, b[0] + 8, b[1] - 8);
  }

  function writeTexts() {
    var one = data.series[shown.series];
    var window_ = shown.window || defaultWindow(one, shown.frame);
    var isGrey = measure.isGrey(one, shown.frame);
    byId('where').textContent = (shown.frame + 1) + ' / ' + one.count + '　' + (one.description || one.modality);
    byId('window').textContent = isGrey && window_ ?
      '窗宽 ' + Math.round(window_.width) + '　窗位 ' + Math.round(window_.center) : '';
    byId('presets').disabled = !isGrey || one.modality !== 'CT';
    stage.setAttribute('data-frame', String(shown.frame));
    stage.setAttribute('data-series', String(shown.series));
  }

  function key(of) { return of ? of.series + ':' + of.frame : ''; }

  function toStage(point) {
    var box = picture.box;
    return [box.left + point[0] * box.width, box.top + point[1] * box.height];
  }

  function toImage(x, y) {
    var box = picture.box;
    return [within((x - box.left) / box.width), within((y - box.top) / box.height)];
  }

  function within(value) { return Math.max(0, Math.min(1, value)); }

  function begin(x, y) {
    if (!shown) { return; }
    drag = { x: x, y: y, lastX: x, lastY: y, steps: 0, on: shown, line: null };
    if (state.tool === 'length') { drag.line = [toImage(x, y), toImage(x, y)]; }
  }

  function move(x, y) {
    if (!drag) { return; }
    var dx = x - drag.lastX;
    var dy = y - drag.lastY;
    drag.lastX = x;
    drag.lastY = y;
    if (state.tool === 'scroll') { scrollBy(y - drag.y); }
    if (state.tool === 'window') { changeWindow(dx, dy); }
    if (state.tool === 'zoom') { zoomBy(Math.pow(1.01, -dy)); }
    if (state.tool === 'pan') { state.x += dx; state.y += dy; layout(); }
    if (drag.line) { drag.line[1] = toImage(x, y); draw(); }
  }

  function end() {
    var done = drag;
    drag = null;
    if (done && done.line && shown && key(done.on) === key(shown)) {
      var a = toStage(done.line[0]);
      var b = toStage(done.line[1]);
      if (Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) > 4) {
        lines[key(shown)] = (lines[key(shown)] || []).concat([done.line]);
      }
      draw();
    }
  }

  function scrollBy(distance) {
    var steps = Math.round(distance / 8);
    if (steps !== drag.steps) {
      var by = steps - drag.steps;
      drag.steps = steps;
      goTo(state.series, state.frame + by);
    }
  }

  function changeWindow(dx, dy) {
    var one = series();
    var now = state.window || defaultWindow(one, state.frame);
    if (!measure.isGrey(one, state.frame)) { return; }
    if (!now) { now = { center: 128, width: 256 }; }
    var step = Math.max(1, now.width / 200);
    state.window = {
      center: Math.round(now.center + dy * step),
      width: Math.max(1, Math.round(now.width + dx * step))
    };
    ask();
  }

  function zoomBy(factor) {
    state.zoom = Math.max(0.2, Math.min(10, state.zoom * factor));
    layout();
  }

  function reset() {
    state.zoom = 1;
    state.x = 0;
    state.y = 0;
    state.window = null;
    byId('presets').value = '0';
    layout();
    ask();
  }

  var ACTS = {
    previous: function () { goTo(state.series, state.frame - 1); },
    next: function () { goTo(state.series, state.frame + 1); },
    larger: function () { zoomBy(1.25); },
    smaller: function () { zoomBy(0.8); },
    clear: function () { if (shown) { delete lines[key(shown)]; draw(); } },
    reset: reset
  };

  function useTool(name) {
    var buttons = byId('tools').getElementsByTagName('button');
    state.tool = name;
    for (var i = 0; i < buttons.length; i += 1) {
      buttons[i].className = buttons[i].getAttribute('data-tool') === name ? 'on' : '';
    }
  }

  function listenToTools() {
    byId('tools').addEventListener('click', function (event) {
      var tool = event.target.getAttribute('data-tool');
      var act = event.target.getAttribute('data-act');
      if (tool) { useTool(tool); }
      if (act) { ACTS[act](); }
    });
    for (var i = 0; i < PRESETS.length; i += 1) {
      var option = document.createElement('option');
      option.value = String(i);
      option.textContent = PRESETS[i][0];
      byId('presets').appendChild(option);
    }
    byId('presets').addEventListener('change', function () {
      var preset = PRESETS[Number(byId('presets').value)][1];
      state.window = preset ? { center: preset[0], width: preset[1] } : null;
      ask();
    });
  }

  function at(event) {
    var box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  function listenToStage() {
    stage.addEventListener('mousedown', function (event) {
      event.preventDefault();
      begin.apply(null, at(event));
    });
    document.addEventListener('mousemove', function (event) { if (drag) { move.apply(null, at(event)); } });
    document.addEventListener('mouseup', end);
    stage.addEventListener('wheel', function (event) {
      event.preventDefault();
      goTo(state.series, state.frame + (event.deltaY > 0 ? 1 : -1));
    });
    stage.addEventListener('touchstart', function (event) { begin.apply(null, at(event.touches[0])); });
    stage.addEventListener('touchmove', function (event) {
      event.preventDefault();
      move.apply(null, at(event.touches[0]));
    });
    stage.addEventListener('touchend', end);
    document.addEventListener('keydown', function (event) {
      if (event.keyCode === 38 || event.keyCode === 37) { ACTS.previous(); }
      if (event.keyCode === 40 || event.keyCode === 39) { ACTS.next(); }
    });
    window.addEventListener('resize', layout);
  }

  function fillStrip() {
    for (var i = 0; i < data.series.length; i += 1) { byId('strip').appendChild(thumbnail(i)); }
  }

  function thumbnail(number) {
    var one = data.series[number];
    var button = document.createElement('button');
    var label = document.createElement('span');
    button.type = 'button';
    if (one.thumbnail) {
      var image = document.createElement('img');
      image.src = one.thumbnail;
      image.alt = '';
      button.appendChild(image);
    }
    label.textContent = (one.description || one.modality) + '（' + one.count + '）';
    button.appendChild(label);
    button.addEventListener('click', function () { goTo(number, Math.floor(one.count / 2)); });
    return button;
  }

  function lightSeries(number) {
    var buttons = byId('strip').getElementsByTagName('button');
    for (var i = 0; i < buttons.length; i += 1) { buttons[i].className = i === number ? 'on' : ''; }
  }

  fillStrip();
  listenToTools();
  useTool('scroll');
  if (data.first) {
    listenToStage();
    lightSeries(data.first.series);
    state.series = data.first.series;
    goTo(data.first.series, data.first.frame);
  } else {
    say('这次检查没有可以显示的图像。');
  }
})();
