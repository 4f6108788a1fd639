/* After log-out: the ciphertext that the film viewer kept on this device goes (web/src/cache/idb.ts). Its keys went with the page. */
(function () {
  if (window.indexedDB) window.indexedDB.deleteDatabase('cloudfilm-ranges');
})();
