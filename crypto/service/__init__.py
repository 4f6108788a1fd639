"""The front encryption server (H2): keys stay in this process, and others ask it over a Unix socket or loopback HTTPS.

Where to start
    `endpoint`         what one entry of the contract is; `*_contract` list them, for server, client and OpenAPI alike
    `application`      a request from its socket to its answer
    `limits`           sizes, numbers and rates
    `connection`       who is at the other end; `machines`, `people` and `door` make an account of it
    `keyring_desk`     the platform's keyring; `use_record` writes down what it is used for
    `state_desk`       health, status, unsealing, sessions of persons
    `operation_desk`   services by key id, `exchange_desk` key exchange in three steps; for operators
    `management_desk`  managing keys and looking at them, for administrators and auditors
    `key_service`      all of it put together
    `problems`         errors as answers, and back
    `server`, `tls`    sockets and process
    `client`           asks, and repeats what may be repeated; `remote_keyring` is a keyring that asks

It starts sealed unless the site unseals it by itself. docs/crypto-service.md tells how it is run.
"""
