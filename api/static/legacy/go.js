/* Runs only where scripts of type module do not (nomodule): on to the page that such a browser can use. */
(function () {
  'use strict';
  var path = window.location.pathname.replace(/\/$/, '');
  window.location.replace(path + '/legacy');
})();
