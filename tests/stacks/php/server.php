<?php
// Koncili as an ordinary team would build it in PHP on MariaDB, from the documents alone. Each name in FAULTS (an environment
// variable, separated by commas) takes one piece of care out, as PHP or MariaDB make it easy to forget.
declare(strict_types=1);

const STATUSES = ['INVOICED', 'PAID_WAITING_DELIVERY', 'CONCLUDED', 'CANCELED'];
const ORDER_TYPES = ['SALE', 'COMISSION', 'SHIP'];
const ENTRY_TYPES = ['SALE', 'COMISSION', 'SHIP', 'RETURN_COMISSION', 'RETURN_SHIP'];
const SIGNS = ['SALE' => 1, 'COMISSION' => -1, 'RETURN_COMISSION' => 1];
const NEEDED = [
    'INVOICED' => [],
    'PAID_WAITING_DELIVERY' => ['sendDate', 'estimatedDeliveryDate'],
    'CONCLUDED' => ['sendDate', 'estimatedDeliveryDate', 'deliveryDate'],
    'CANCELED' => ['cancelDate'],
];
const EARLIER = [
    'createdDate' => ['approvedDate', 'sendDate', 'estimatedDeliveryDate', 'deliveryDate', 'cancelDate'],
    'approvedDate' => ['sendDate', 'estimatedDeliveryDate', 'deliveryDate'],
    'sendDate' => ['estimatedDeliveryDate', 'deliveryDate'],
];
const DATES = ['createdDate', 'approvedDate', 'sendDate', 'estimatedDeliveryDate', 'deliveryDate', 'cancelDate'];

final class Refusal extends Exception
{
    public function __construct(public int $status, string $message, public ?string $errorCode = null, public ?string $source = null)
    {
        parent::__construct($message);
    }
}

function has(string $fault): bool
{
    static $faults = null;
    $faults ??= array_filter(explode(',', getenv('FAULTS') ?: ''));
    return in_array($fault, $faults, true);
}

function refuse(string $field, string $what = 'is invalid'): never
{
    throw new Refusal(400, "$field $what", '400-0', $field);
}

function db(): PDO
{
    static $db = null;
    if ($db === null) {
        $mode = has('lenient-mode') ? '' : 'TRADITIONAL';
        $db = new PDO(getenv('DSN'), 'root', '', [PDO::ATTR_PERSISTENT => true, PDO::ATTR_EMULATE_PREPARES => false]);
        $db->exec("SET SESSION sql_mode = '$mode'");
    }
    return $db;
}

function query(string $sql, mixed ...$values): PDOStatement
{
    $statement = db()->prepare($sql);
    $statement->execute($values);
    return $statement;
}

// -- fields --------------------------------------------------------------------------------------------------------------

/** Microseconds since the epoch. */
function instant(mixed $value, string $field): int
{
    if (has('strtotime')) {  // takes "tomorrow", dates alone, the 30th of February
        $read = is_string($value) ? strtotime($value) : false;
        return $read === false ? refuse($field) : $read * 1_000_000;
    }
    $shape = '/^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|[+-](\d\d):(\d\d))$/';
    if (!is_string($value) || !preg_match($shape, $value, $part)) {
        refuse($field, 'is no instant such as 2025-05-09T09:00:00-03:00');
    }
    $real = checkdate((int) $part[2], (int) $part[3], max(1, (int) $part[1])) && $part[4] < 24 && $part[5] < 60 && $part[6] < 60;
    if (!$real || ($part[8] ?? 0) > 23 || ($part[9] ?? 0) > 59) {
        refuse($field);
    }
    $whole = new DateTimeImmutable(preg_replace('/\.\d+/', '', strtoupper($value)));
    return $whole->getTimestamp() * 1_000_000 + (int) substr(str_pad($part[7] ?? '', 6, '0'), 0, 6);
}

function amount(mixed $value, string $field): float
{
    $number = has('is-numeric') ? is_numeric($value) : is_int($value) || is_float($value);
    return $number ? (float) $value : refuse($field);
}

function cents(float $value): int
{
    return (int) (has('truncated-cents') ? $value * 100 : round($value * 100));
}

function code(mixed $value): string
{
    if (!is_string($value) || trim($value) === '') {
        refuse('marketplaceCode');
    }
    if (mb_strlen($value) > 190 && !has('lenient-mode')) {
        refuse('marketplaceCode', 'is longer than 190 characters');
    }
    return has('trimmed') ? trim($value) : $value;
}

/** Whether it is one of these. */
function among(mixed $value, array $known): bool
{
    return in_array(has('any-case') && is_string($value) ? strtoupper($value) : $value, $known, true);
}

function place(mixed $channel, mixed $account): int
{
    if (has('int-cast') && is_scalar($account)) {
        $account = (int) $account;
    } elseif (is_string($account) && preg_match('/^\d{1,18}$/', $account)) {
        $account = (int) $account;
    }
    if (!is_int($account)) {
        refuse('accountId');
    }
    if (!is_string($channel) || $channel === '') {
        refuse('channelName');
    }
    $world = world();
    $known = array_values(array_filter($world->accounts, fn ($each) => $each->id === $account))[0] ?? null;
    if ($known === null) {
        throw new Refusal(404, "Account $account not found", '404-1', 'accountId');
    }
    if (!in_array($channel, $world->channels, true)) {
        throw new Refusal(404, "Channel $channel not found", '404-2', 'channelName');
    }
    if ($known->channel !== $channel) {
        throw new Refusal(403, "Account $account is not authorised on $channel", '403-2', 'channelName');
    }
    match ($known->state) {
        'inactive' => throw new Refusal(403, "Account $account is inactive", '403-1', 'accountId'),
        'disabled' => throw new Refusal(400, "Account $account does not support API import", '400-2', 'accountId'),
        default => null,
    };
    return $account;
}

function world(): stdClass
{
    static $world = null;
    return $world ??= json_decode(getenv('KONCILI_WORLD'));
}

/** Type and cents of each. */
function entries(mixed $list, string $field, array $types, string $own): array
{
    if (!is_array($list) || $list === []) {
        refuse($field);
    }
    return array_map(function (mixed $entry) use ($field, $types, $own): string {
        if (!$entry instanceof stdClass) {
            refuse($field);
        }
        $type = $entry->type ?? null;
        if (!among($type, $types)) {
            refuse('type', 'is unknown');
        }
        $value = cents(amount($entry->value ?? null, 'value'));
        $sign = SIGNS[strtoupper($type)] ?? 0;
        if ($sign !== 0 && ($value <=> 0) !== $sign) {
            refuse('value', "contradicts $type");
        }
        $coded = $entry->marketplaceCode ?? null;
        $coded = has('trimmed') && is_string($coded) ? trim($coded) : $coded;
        if (has('loose-equality') ? $coded != $own : $coded !== $own) {
            refuse('marketplaceCode', "differs from the order's");
        }
        if (($entry->expectedDate ?? null) !== null) {
            instant($entry->expectedDate, 'expectedDate');
        }
        if (($entry->percentage ?? null) !== null) {
            amount($entry->percentage, 'percentage');
        }
        return strtoupper($type) . " $value";
    }, $list);
}

function body(): stdClass
{
    $body = json_decode(file_get_contents('php://input'), false, 64, has('big-int-as-float') ? 0 : JSON_BIGINT_AS_STRING);
    return $body instanceof stdClass ? $body : refuse('body', 'is no JSON object');
}

// -- orders ----------------------------------------------------------------------------------------------------------------

function submitOrder(): array
{
    $body = body();
    $account = place($body->channelName ?? null, $body->accountId ?? null);
    $code = code($body->marketplaceCode ?? null);
    $status = $body->status ?? null;
    if (!among($status, STATUSES)) {
        refuse('status', 'is unknown');
    }
    $at = [];
    foreach (DATES as $name) {
        if (has('empty-is-missing') ? !empty($body->$name) : ($body->$name ?? null) !== null) {
            $at[$name] = instant($body->$name, $name);
        }
    }
    foreach (NEEDED[strtoupper($status)] as $name) {
        isset($at[$name]) || refuse($name, "is needed by $status");
    }
    foreach (EARLIER as $early => $others) {
        foreach ($others as $late) {
            if (isset($at[$early], $at[$late]) && $at[$early] > $at[$late]) {
                throw new Refusal(400, "$late lies before $early", '400-3', $late);
            }
        }
    }
    if (property_exists($body, 'totalGrossValue')) {
        $total = amount($body->totalGrossValue, 'totalGrossValue');
        if (abs($total) > 9_999_999_999 && !has('lenient-mode')) {
            refuse('totalGrossValue', 'is too large');
        }
    }
    entries($body->extracts ?? null, 'extracts', ORDER_TYPES, $code);
    $how = has('insert-ignore') ? 'INSERT IGNORE' : (has('plain-insert') ? 'INSERT' : 'REPLACE');
    if (has('soft-delete')) {
        $how = 'INSERT';
        query('UPDATE orders SET body = ?, total = ? WHERE account = ? AND code = ? AND deleted = 0', json_encode($body), $body->totalGrossValue ?? 0, $account, $code)->rowCount() && $how = null;
    }
    if (has('unlocked-upsert')) {
        query('DELETE FROM orders WHERE account = ? AND code = ?', $account, $code);
        elsewhere();
    }
    if ($how !== null) {
        query("$how INTO orders (account, code, body, total) VALUES (?, ?, ?, ?)", $account, $code, json_encode($body, JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION), $body->totalGrossValue ?? 0);
    }
    return [200, ['message' => 'Order received']];
}

function found(mixed $channel, mixed $account, mixed $code): array
{
    $account = place($channel, $account);
    $code = code($code);
    $row = query('SELECT * FROM orders WHERE account = ? AND code = ? AND deleted = 0', $account, $code)->fetch(PDO::FETCH_OBJ);
    return [$account, $code, $row ?: throw new Refusal(404, "Order $code not found", '404-3', 'marketplaceCode')];
}

function getOrder(): array
{
    [, , $row] = found($_GET['channelName'] ?? null, $_GET['accountId'] ?? null, $_GET['marketplaceCode'] ?? null);
    $body = json_decode($row->body, false, 64, JSON_BIGINT_AS_STRING);
    if (has('total-of-column') && isset($body->totalGrossValue)) {
        $body->totalGrossValue = (float) $row->total;
    }
    if (has('code-of-column')) {
        $body->marketplaceCode = $row->code;
    }
    return [200, $body];
}

function deleteOrder(): array
{
    [$account, $code] = [place($_GET['channelName'] ?? null, $_GET['accountId'] ?? null), $_GET['marketplaceCode'] ?? null];
    return alone($account, function () use ($account, $code): array {
        [, $code, $row] = found($_GET['channelName'], $account, $code);
        if (isset(json_decode($row->body)->foreign)) {
            throw new Refusal(400, 'The order did not come through the API');
        }
        if (query('SELECT 1 FROM releases WHERE account = ? AND code = ?', $account, $code)->fetch()) {
            throw new Refusal(400, 'The order is reconciled');
        }
        query(has('soft-delete') ? 'UPDATE orders SET deleted = 1 WHERE account = ? AND code = ?' : 'DELETE FROM orders WHERE account = ? AND code = ?', $account, $code);
        return [200, ['message' => 'Order removed']];
    });
}

// -- reconciliations ---------------------------------------------------------------------------------------------------------

/** Whatever else is asked for between looking and writing. */
function elsewhere(): void
{
    usleep(5000);
}

/** Do it alone: what is looked at is still so when it is written. Not with one of these faults. */
function alone(int $account, callable $what, string ...$unlocked): array
{
    if (has('no-lock') || array_filter($unlocked, 'has')) {
        return $what();
    }
    query('SELECT GET_LOCK(?, 30)', "account $account");
    try {
        return $what();
    } finally {
        query('SELECT RELEASE_LOCK(?)', "account $account");
    }
}

function createReconciliation(): array
{
    $body = body();
    $account = place($body->channelName ?? null, $body->accountId ?? null);
    $init = instant($body->periodInitDate ?? null, 'periodInitDate');
    $end = instant($body->periodEndDate ?? null, 'periodEndDate');
    if ($init >= $end) {
        refuse('periodEndDate', 'is not after periodInitDate');
    }
    $quantity = $body->releasesQtd ?? null;
    if (has('is-numeric') ? !is_numeric($quantity) || $quantity < 1 : !is_int($quantity) || $quantity < 1) {
        refuse('releasesQtd');
    }
    if ($quantity > 1_000_000_000) {
        refuse('releasesQtd', 'is too large');
    }
    if (property_exists($body, 'totalNetValue')) {
        amount($body->totalNetValue, 'totalNetValue');
    }
    $looks = function () use ($account): void {
        if (query('SELECT 1 FROM reconciliations WHERE account = ? AND active', $account)->fetch()) {
            throw new Refusal(400, 'A reconciliation is active');
        }
    };
    if (has('unlocked-active')) {
        $looks();
        elsewhere();
    }
    return alone($account, function () use ($account, $init, $end, $quantity, $looks): array {
        has('unlocked-active') || $looks();
        $overlap = has('between') ? '? BETWEEN init AND finish OR ? BETWEEN init AND finish' : '? < finish AND init < ?';
        if (query("SELECT 1 FROM reconciliations WHERE account = ? AND ($overlap)", $account, $init, $end)->fetch()) {
            throw new Refusal(400, 'The period overlaps an earlier one', '400', 'periodInitDate');
        }
        (has('no-lock') || has('unlocked-overlap')) && elsewhere();
        unique(fn () => query('INSERT INTO reconciliations (account, init, finish, quantity) VALUES (?, ?, ?, ?)', $account, $init, $end, (int) $quantity), 'The period was registered before');
        return [201, ['id' => (int) db()->lastInsertId()]];
    }, 'unlocked-overlap');
}

/** Write what an index may refuse. */
function unique(callable $write, string $otherwise): void
{
    try {
        $write();
    } catch (PDOException $failure) {
        throw ($failure->errorInfo[1] ?? 0) === 1062 ? new Refusal(400, $otherwise) : $failure;
    }
}

function same(array $given, array $expected): bool
{
    if (has('array-diff')) {  // as sets
        return !array_diff($given, $expected) && !array_diff($expected, $given);
    }
    if (has('array-sum')) {
        $sum = fn (array $list) => array_sum(array_map(fn ($each) => (int) explode(' ', $each)[1], $list));
        return count($given) === count($expected) && $sum($given) === $sum($expected);
    }
    sort($given);
    sort($expected);
    return $given === $expected;
}

function submitRelease(): array
{
    $body = body();
    $account = place($body->channelName ?? null, $body->accountId ?? null);
    is_int($body->reconciliationId ?? null) || refuse('reconciliationId');
    $code = code($body->marketplaceCode ?? null);
    among($body->status ?? null, STATUSES) || refuse('status');
    among($body->releaseType ?? null, ['IN_CASH']) || refuse('releaseType');
    instant($body->createdDate ?? null, 'createdDate');
    $released = instant($body->releasedDate ?? null, 'releasedDate');
    foreach (['installment', 'installmentQuantity'] as $name) {
        if (property_exists($body, $name) && (!is_int($body->$name) || $body->$name < 1)) {
            refuse($name);
        }
    }
    if (($body->installment ?? 1) > ($body->installmentQuantity ?? PHP_INT_MAX)) {
        refuse('installment');
    }
    $given = entries($body->releases ?? null, 'releases', ENTRY_TYPES, $code);
    $again = function () use ($account, $code): void {
        if (query('SELECT 1 FROM releases WHERE account = ? AND code = ?', $account, $code)->fetch()) {
            throw new Refusal(400, 'The order is released already', '400', 'marketplaceCode');
        }
    };
    if (has('unlocked-release')) {
        $again();
        elsewhere();
    }
    return alone($account, function () use ($body, $account, $code, $released, $given, $again): array {
        $batch = query('SELECT * FROM reconciliations WHERE id = ? AND active', $body->reconciliationId)->fetch(PDO::FETCH_OBJ);
        if (!$batch || $batch->account != $account) {
            throw new Refusal(400, 'There is no such reconciliation', '400', 'reconciliationId');
        }
        if (!has('any-date') && ($released < $batch->init || $released > $batch->finish)) {
            refuse('releasedDate', 'lies outside the period');
        }
        [, , $order] = found($body->channelName, $body->accountId, $body->marketplaceCode);
        has('unlocked-release') || $again();
        if (!same($given, entries(json_decode($order->body)->extracts, 'extracts', ENTRY_TYPES, $order->code))) {
            throw new Refusal(400, 'The releases differ from the extracts', '400', 'releases');
        }
        $sent = (int) query('SELECT ifnull(sum(entries), 0) FROM releases WHERE reconciliation = ?', $batch->id)->fetchColumn();
        if ($sent + count($given) > $batch->quantity) {
            refuse('releases', 'are more than releasesQtd');
        }
        (has('no-lock') || has('unlocked-quantity')) && elsewhere();
        unique(fn () => query('INSERT INTO releases VALUES (?, ?, ?, ?)', $batch->id, $account, $code, count($given)), 'The order is released already');
        if ($sent + count($given) === (int) $batch->quantity) {
            query('UPDATE reconciliations SET active = 0 WHERE id = ?', $batch->id);
        }
        return [200, ['message' => 'Release received']];
    }, 'unlocked-quantity');
}

// -- tokens ------------------------------------------------------------------------------------------------------------------

function grant(): array
{
    $pair = [bin2hex(random_bytes(48)), bin2hex(random_bytes(48))];
    query('INSERT INTO tokens VALUES (?, ?), (?, ?)', $pair[0], 'access', $pair[1], 'refresh');
    return [200, ['accessToken' => $pair[0], 'refreshToken' => $pair[1], 'expiresIn' => 7200]];
}

function login(): array
{
    $world = world();
    $wanted = base64_encode("{$world->email}:{$world->password}");
    return (body()->credentials ?? null) === $wanted ? grant() : throw new Refusal(401, 'credentials are wrong');
}

function renew(): array
{
    $given = body()->refreshToken ?? null;
    if (has('unlocked-refresh')) {
        query("SELECT 1 FROM tokens WHERE token = ? AND kind = 'refresh'", $given)->fetch() ?: throw new Refusal(401, 'refreshToken is void');
        elsewhere();
        query("DELETE FROM tokens WHERE token = ? AND kind = 'refresh'", $given);
        return grant();
    }
    $used = is_string($given) ? query("DELETE FROM tokens WHERE token = ? AND kind = 'refresh'", $given)->rowCount() : 0;
    return $used === 1 ? grant() : throw new Refusal(401, 'refreshToken is void');
}

function accounts(): array
{
    return [200, array_map(fn ($each) => [
        'id' => $each->id, 'channelName' => $each->channel, 'status' => $each->state === 'inactive' ? 'INACTIVE' : 'ACTIVE',
        'apiImport' => $each->state !== 'disabled',
    ], world()->accounts)];
}

// -- the application -----------------------------------------------------------------------------------------------------------

const ROUTES = [
    '/my-accounts' => ['GET' => 'accounts'],
    '/order' => ['POST' => 'submitOrder', 'GET' => 'getOrder', 'DELETE' => 'deleteOrder'],
    '/reconciliation' => ['POST' => 'createReconciliation'],
    '/reconciliation/release' => ['POST' => 'submitRelease'],
];

function answered(string $method, string $path): array
{
    if ($method === 'POST' && $path === '/public/api/auth/token') {
        return login();
    }
    if ($method === 'POST' && $path === '/public/api/auth/refresh-token') {
        return renew();
    }
    $token = $_SERVER['HTTP_GUMGATOKEN'] ?? '';
    if (!query("SELECT 1 FROM tokens WHERE token = ? AND kind = 'access'", $token)->fetch()) {
        return [403, ['response' => 'NO_TOKEN']];
    }
    if (($_SERVER['HTTP_INTEGRATOR'] ?? '') !== world()->integrator) {
        refuse('integrator', 'is unknown');
    }
    $methods = ROUTES[$path] ?? throw new Refusal(404, 'There is nothing at this path');
    return ($methods[$method] ?? throw new Refusal(405, 'The method is not allowed'))();
}

try {
    [$status, $shown] = answered($_SERVER['REQUEST_METHOD'], parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: '/');
} catch (Refusal $refusal) {
    $status = $refusal->status;
    $shown = ['errorMessage' => $refusal->getMessage(), 'errorCode' => $refusal->errorCode ?? "$status", 'errorSource' => $refusal->source];
} catch (Throwable $failure) {
    file_put_contents('php://stderr', $failure . "\n");
    $status = 500;
    $shown = ['errorMessage' => 'Internal error', 'errorCode' => '500', 'errorSource' => null];
}
http_response_code($status);
header('Content-Type: application/json');
header_remove('X-Powered-By');
echo json_encode($shown, JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION | JSON_PARTIAL_OUTPUT_ON_ERROR);
