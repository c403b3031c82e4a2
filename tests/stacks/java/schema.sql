CREATE TABLE accounts (id BIGINT PRIMARY KEY);
INSERT INTO accounts VALUES $accounts;

CREATE TABLE orders (
    id BIGINT AUTO_INCREMENT PRIMARY KEY, account BIGINT NOT NULL, channel VARCHAR(190), code VARCHAR($length) $collation NOT NULL,
    status VARCHAR(40), created $moment, approved $moment, sent $moment, estimated $moment, delivered $moment, cancelled $moment,
    total $money, deleted INT DEFAULT 0, imported INT DEFAULT 0, reconciled INT DEFAULT 0, seen DATETIME(6),
    UNIQUE (account, code)
);

CREATE TABLE extracts (
    order_id BIGINT, position INT, type VARCHAR(40), value $money, expected $moment, percentage VARCHAR($percentage),
    KEY (order_id) $extract_key
);

CREATE TABLE reconciliations (
    id BIGINT AUTO_INCREMENT PRIMARY KEY, account BIGINT, channel VARCHAR(190), init $moment, finish $moment,
    quantity $quantity, active INT DEFAULT 1, KEY (account)
) AUTO_INCREMENT = $first;

CREATE TABLE releases (
    id BIGINT AUTO_INCREMENT PRIMARY KEY, reconciliation BIGINT, order_id BIGINT, entries INT,
    KEY (reconciliation) $release_key
);

CREATE TABLE tokens (token VARCHAR(400) CHARACTER SET utf8mb4 COLLATE $tokens PRIMARY KEY, kind VARCHAR(10));

INSERT INTO orders (account, channel, code, status, created, total, imported, seen) VALUES $imported;
