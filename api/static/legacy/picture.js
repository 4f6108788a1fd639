/* The picture on the stage: asked for one at a time, the newest wish only, and swapped in when it is whole. ES5. */
(function (root) {
  'use strict';
  var PAUSE_MS = 60;
  var RETRY_MS = 1000;
  var TRIES = 4;

  /* `told(kind, wish)`: 'shown' when a picture stands, 'failed' when it cannot be had. */
  function Picture(shown, coming, told) {
    this.shown = shown;
    this.coming = coming;
    this.told = told;
    this.wanted = null;
    this.asked = null;
    this.tries = 0;
    this.count = 0;
    this.timer = null;
    this.box = { left: 0, top: 0, width: 0, height: 0 };
    var self = this;
    coming.onload = function () { self.arrive(); };
    coming.onerror = function () { self.fail(); };
    shown.onload = coming.onload;
    shown.onerror = coming.onerror;
  }

  Picture.prototype.want = function (wish) {
    this.wanted = wish;
    this.tries = 0;
    this.later(PAUSE_MS);
  };

  Picture.prototype.later = function (milliseconds) {
    var self = this;
    if (this.asked || this.timer) { return; }
    this.timer = window.setTimeout(function () { self.timer = null; self.ask(); }, milliseconds);
  };

  Picture.prototype.ask = function () {
    if (!this.wanted || this.asked) { return; }
    this.asked = this.wanted;
    this.wanted = null;
    this.count += 1;
    /* A number of its own: a browser may tell nothing when the same address is set again. */
    this.coming.src = this.asked.url + '&n=' + this.count;
  };

  Picture.prototype.arrive = function () {
    var wish = this.asked;
    if (!wish) { return; }
    var old = this.shown;
    this.asked = null;
    this.shown = this.coming;
    this.coming = old;
    this.shown.style.visibility = 'visible';
    this.coming.style.visibility = 'hidden';
    this.place(this.box);
    this.told('shown', wish);
    if (this.wanted) { this.later(0); }
  };

  Picture.prototype.fail = function () {
    var wish = this.asked;
    if (!wish) { return; }
    this.asked = null;
    this.tries += 1;
    if (!this.wanted) {
      if (this.tries >= TRIES) { this.told('failed', wish); return; }
      this.wanted = wish;
    }
    this.later(RETRY_MS);
  };

  Picture.prototype.place = function (box) {
    this.box = box;
    var style = this.shown.style;
    style.left = box.left + 'px';
    style.top = box.top + 'px';
    style.width = box.width + 'px';
    style.height = box.height + 'px';
  };

  root.FilmPicture = Picture;
})(window);
