-- The tables of a Magento 2.4 shop that placeholders touch or look at, and no
-- others, with the columns, keys and foreign keys that matter to them. The ids
-- differ from those of a fresh installation on purpose: whoever assumes an id
-- fails here.
--
-- Two websites: base (EUR; store views default and de) sells from the default
-- stock, second (USD; second) from stock 2, whose source is depot.
SET FOREIGN_KEY_CHECKS=0;

CREATE TABLE eav_entity_type (
  entity_type_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_type_code varchar(50) NOT NULL,
  default_attribute_set_id smallint unsigned NOT NULL DEFAULT 0,
  KEY (entity_type_code)
) ENGINE=InnoDB;
CREATE TABLE eav_attribute_set (
  attribute_set_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_type_id smallint unsigned NOT NULL,
  attribute_set_name varchar(255) DEFAULT NULL,
  sort_order smallint NOT NULL DEFAULT 0,
  FOREIGN KEY (entity_type_id) REFERENCES eav_entity_type (entity_type_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE eav_attribute (
  attribute_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_type_id smallint unsigned NOT NULL,
  attribute_code varchar(255) NOT NULL,
  backend_type varchar(8) NOT NULL DEFAULT 'static',
  frontend_input varchar(50) DEFAULT NULL,
  source_model varchar(255) DEFAULT NULL,
  UNIQUE KEY (entity_type_id, attribute_code),
  FOREIGN KEY (entity_type_id) REFERENCES eav_entity_type (entity_type_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE eav_entity_attribute (
  entity_attribute_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_type_id smallint unsigned NOT NULL,
  attribute_set_id smallint unsigned NOT NULL,
  attribute_group_id smallint unsigned NOT NULL DEFAULT 0,
  attribute_id smallint unsigned NOT NULL,
  UNIQUE KEY (attribute_set_id, attribute_id),
  FOREIGN KEY (attribute_id) REFERENCES eav_attribute (attribute_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE eav_attribute_option (
  option_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  attribute_id smallint unsigned NOT NULL,
  sort_order smallint unsigned NOT NULL DEFAULT 0,
  FOREIGN KEY (attribute_id) REFERENCES eav_attribute (attribute_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE eav_attribute_option_value (
  value_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  option_id int unsigned NOT NULL,
  store_id smallint unsigned NOT NULL DEFAULT 0,
  value varchar(255) DEFAULT NULL,
  FOREIGN KEY (option_id) REFERENCES eav_attribute_option (option_id) ON DELETE CASCADE
) ENGINE=InnoDB;

CREATE TABLE store_website (
  website_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  code varchar(32) DEFAULT NULL UNIQUE,
  name varchar(64) DEFAULT NULL,
  sort_order smallint unsigned NOT NULL DEFAULT 0,
  default_group_id smallint unsigned NOT NULL DEFAULT 0,
  is_default smallint unsigned DEFAULT 0
) ENGINE=InnoDB;
CREATE TABLE store_group (
  group_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  website_id smallint unsigned NOT NULL,
  name varchar(255) NOT NULL,
  root_category_id int unsigned NOT NULL DEFAULT 0,
  default_store_id smallint unsigned NOT NULL DEFAULT 0,
  code varchar(32) DEFAULT NULL,
  FOREIGN KEY (website_id) REFERENCES store_website (website_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE store (
  store_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  code varchar(32) DEFAULT NULL UNIQUE,
  website_id smallint unsigned NOT NULL,
  group_id smallint unsigned NOT NULL,
  name varchar(255) NOT NULL,
  sort_order smallint unsigned NOT NULL DEFAULT 0,
  is_active smallint unsigned NOT NULL DEFAULT 0,
  FOREIGN KEY (website_id) REFERENCES store_website (website_id) ON DELETE CASCADE,
  FOREIGN KEY (group_id) REFERENCES store_group (group_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE core_config_data (
  config_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  scope varchar(8) NOT NULL DEFAULT 'default',
  scope_id int NOT NULL DEFAULT 0,
  path varchar(255) NOT NULL DEFAULT 'general',
  value text,
  UNIQUE KEY (scope, scope_id, path)
) ENGINE=InnoDB;
CREATE TABLE tax_class (
  class_id smallint NOT NULL AUTO_INCREMENT PRIMARY KEY,
  class_name varchar(255) NOT NULL,
  class_type varchar(8) NOT NULL DEFAULT 'CUSTOMER'
) ENGINE=InnoDB;
CREATE TABLE customer_group (
  customer_group_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer_group_code varchar(32) NOT NULL,
  tax_class_id int unsigned NOT NULL DEFAULT 0
) ENGINE=InnoDB;
CREATE TABLE catalog_category_entity (
  entity_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  path varchar(255) NOT NULL
) ENGINE=InnoDB;
CREATE TABLE catalog_category_entity_varchar (
  value_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  attribute_id smallint unsigned NOT NULL,
  store_id smallint unsigned NOT NULL,
  entity_id int unsigned NOT NULL,
  value varchar(255) DEFAULT NULL,
  UNIQUE KEY (entity_id, attribute_id, store_id),
  FOREIGN KEY (entity_id) REFERENCES catalog_category_entity (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;

CREATE TABLE catalog_product_entity (
  entity_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  attribute_set_id smallint unsigned NOT NULL DEFAULT 0,
  type_id varchar(32) NOT NULL DEFAULT 'simple',
  sku varchar(64) NOT NULL,
  has_options smallint NOT NULL DEFAULT 0,
  required_options smallint unsigned NOT NULL DEFAULT 0,
  created_at timestamp NOT NULL DEFAULT current_timestamp(),
  updated_at timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  KEY (attribute_set_id),
  KEY (sku)
) ENGINE=InnoDB;
CREATE TABLE catalog_product_entity_int (
  value_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  attribute_id smallint unsigned NOT NULL DEFAULT 0,
  store_id smallint unsigned NOT NULL DEFAULT 0,
  entity_id int unsigned NOT NULL DEFAULT 0,
  value int DEFAULT NULL,
  UNIQUE KEY (entity_id, attribute_id, store_id),
  KEY (attribute_id, store_id, value),
  KEY (store_id),
  FOREIGN KEY (store_id) REFERENCES store (store_id) ON DELETE CASCADE,
  FOREIGN KEY (attribute_id) REFERENCES eav_attribute (attribute_id) ON DELETE CASCADE,
  FOREIGN KEY (entity_id) REFERENCES catalog_product_entity (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE catalog_product_entity_decimal LIKE catalog_product_entity_int;
ALTER TABLE catalog_product_entity_decimal MODIFY value decimal(20,6) DEFAULT NULL,
  ADD FOREIGN KEY (store_id) REFERENCES store (store_id) ON DELETE CASCADE,
  ADD FOREIGN KEY (attribute_id) REFERENCES eav_attribute (attribute_id) ON DELETE CASCADE,
  ADD FOREIGN KEY (entity_id) REFERENCES catalog_product_entity (entity_id) ON DELETE CASCADE;
CREATE TABLE catalog_product_entity_varchar LIKE catalog_product_entity_decimal;
ALTER TABLE catalog_product_entity_varchar MODIFY value varchar(255) DEFAULT NULL,
  ADD FOREIGN KEY (store_id) REFERENCES store (store_id) ON DELETE CASCADE,
  ADD FOREIGN KEY (attribute_id) REFERENCES eav_attribute (attribute_id) ON DELETE CASCADE,
  ADD FOREIGN KEY (entity_id) REFERENCES catalog_product_entity (entity_id) ON DELETE CASCADE;
CREATE TABLE catalog_product_entity_text (
  value_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  attribute_id smallint unsigned NOT NULL DEFAULT 0,
  store_id smallint unsigned NOT NULL DEFAULT 0,
  entity_id int unsigned NOT NULL DEFAULT 0,
  value mediumtext,
  UNIQUE KEY (entity_id, attribute_id, store_id),
  FOREIGN KEY (store_id) REFERENCES store (store_id) ON DELETE CASCADE,
  FOREIGN KEY (attribute_id) REFERENCES eav_attribute (attribute_id) ON DELETE CASCADE,
  FOREIGN KEY (entity_id) REFERENCES catalog_product_entity (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE catalog_product_entity_datetime LIKE catalog_product_entity_int;
ALTER TABLE catalog_product_entity_datetime MODIFY value datetime DEFAULT NULL,
  ADD FOREIGN KEY (store_id) REFERENCES store (store_id) ON DELETE CASCADE,
  ADD FOREIGN KEY (attribute_id) REFERENCES eav_attribute (attribute_id) ON DELETE CASCADE,
  ADD FOREIGN KEY (entity_id) REFERENCES catalog_product_entity (entity_id) ON DELETE CASCADE;
CREATE TABLE catalog_product_entity_tier_price (
  value_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_id int unsigned NOT NULL,
  all_groups smallint unsigned NOT NULL DEFAULT 1,
  customer_group_id int unsigned NOT NULL DEFAULT 0,
  qty decimal(12,4) NOT NULL DEFAULT 1.0000,
  value decimal(20,6) NOT NULL DEFAULT 0.000000,
  website_id smallint unsigned NOT NULL,
  percentage_value decimal(5,2) DEFAULT NULL,
  UNIQUE KEY (entity_id, all_groups, customer_group_id, qty, website_id),
  FOREIGN KEY (customer_group_id) REFERENCES customer_group (customer_group_id) ON DELETE CASCADE,
  FOREIGN KEY (entity_id) REFERENCES catalog_product_entity (entity_id) ON DELETE CASCADE,
  FOREIGN KEY (website_id) REFERENCES store_website (website_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE catalog_product_website (
  product_id int unsigned NOT NULL,
  website_id smallint unsigned NOT NULL,
  PRIMARY KEY (product_id, website_id),
  FOREIGN KEY (product_id) REFERENCES catalog_product_entity (entity_id) ON DELETE CASCADE,
  FOREIGN KEY (website_id) REFERENCES store_website (website_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE catalog_category_product (
  entity_id int NOT NULL AUTO_INCREMENT,
  category_id int unsigned NOT NULL DEFAULT 0,
  product_id int unsigned NOT NULL DEFAULT 0,
  position int NOT NULL DEFAULT 0,
  PRIMARY KEY (entity_id, category_id, product_id),
  UNIQUE KEY (category_id, product_id),
  FOREIGN KEY (product_id) REFERENCES catalog_product_entity (entity_id) ON DELETE CASCADE,
  FOREIGN KEY (category_id) REFERENCES catalog_category_entity (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE catalog_product_index_price (
  entity_id int unsigned NOT NULL,
  customer_group_id int unsigned NOT NULL,
  website_id smallint unsigned NOT NULL,
  tax_class_id smallint unsigned DEFAULT 0,
  price decimal(20,6) DEFAULT NULL,
  final_price decimal(20,6) DEFAULT NULL,
  min_price decimal(20,6) DEFAULT NULL,
  max_price decimal(20,6) DEFAULT NULL,
  tier_price decimal(20,6) DEFAULT NULL,
  PRIMARY KEY (entity_id, customer_group_id, website_id)
) ENGINE=InnoDB;
CREATE TABLE catalog_product_index_price_ws1 LIKE catalog_product_index_price;
CREATE TABLE catalog_category_product_index_store1 (
  category_id int unsigned NOT NULL,
  product_id int unsigned NOT NULL,
  position int DEFAULT NULL,
  store_id smallint unsigned NOT NULL,
  PRIMARY KEY (category_id, product_id, store_id),
  KEY (product_id)
) ENGINE=InnoDB;
CREATE TABLE catalogrule_product (
  rule_product_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  rule_id int unsigned NOT NULL DEFAULT 0,
  product_id int unsigned NOT NULL DEFAULT 0,
  website_id smallint unsigned NOT NULL,
  KEY (product_id)
) ENGINE=InnoDB;
CREATE TABLE catalogrule_product_price (
  rule_product_price_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  rule_date date NOT NULL,
  customer_group_id int DEFAULT NULL,
  product_id int unsigned NOT NULL DEFAULT 0,
  rule_price decimal(20,6) NOT NULL DEFAULT 0.000000,
  website_id smallint unsigned NOT NULL,
  KEY (product_id)
) ENGINE=InnoDB;

CREATE TABLE cataloginventory_stock (
  stock_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  website_id smallint unsigned NOT NULL,
  stock_name varchar(255) DEFAULT NULL
) ENGINE=InnoDB;
CREATE TABLE cataloginventory_stock_item (
  item_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  product_id int unsigned NOT NULL DEFAULT 0,
  stock_id smallint unsigned NOT NULL DEFAULT 0,
  qty decimal(12,4) DEFAULT NULL,
  min_qty decimal(12,4) NOT NULL DEFAULT 0.0000,
  use_config_min_qty smallint unsigned NOT NULL DEFAULT 1,
  is_qty_decimal smallint unsigned NOT NULL DEFAULT 0,
  backorders smallint unsigned NOT NULL DEFAULT 0,
  use_config_backorders smallint unsigned NOT NULL DEFAULT 1,
  min_sale_qty decimal(12,4) NOT NULL DEFAULT 1.0000,
  use_config_min_sale_qty smallint unsigned NOT NULL DEFAULT 1,
  max_sale_qty decimal(12,4) NOT NULL DEFAULT 0.0000,
  use_config_max_sale_qty smallint unsigned NOT NULL DEFAULT 1,
  is_in_stock smallint unsigned NOT NULL DEFAULT 0,
  manage_stock smallint unsigned NOT NULL DEFAULT 0,
  use_config_manage_stock smallint unsigned NOT NULL DEFAULT 1,
  website_id smallint unsigned NOT NULL DEFAULT 0,
  UNIQUE KEY (product_id, stock_id),
  FOREIGN KEY (product_id) REFERENCES catalog_product_entity (entity_id) ON DELETE CASCADE,
  FOREIGN KEY (stock_id) REFERENCES cataloginventory_stock (stock_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE cataloginventory_stock_status (
  product_id int unsigned NOT NULL,
  website_id smallint unsigned NOT NULL,
  stock_id smallint unsigned NOT NULL,
  qty decimal(12,4) NOT NULL DEFAULT 0.0000,
  stock_status smallint unsigned NOT NULL,
  PRIMARY KEY (product_id, website_id, stock_id)
) ENGINE=InnoDB;
CREATE TABLE cataloginventory_stock_status_replica LIKE cataloginventory_stock_status;
CREATE TABLE inventory_source (
  source_code varchar(255) NOT NULL PRIMARY KEY,
  name varchar(255) NOT NULL,
  enabled smallint unsigned NOT NULL DEFAULT 1
) ENGINE=InnoDB;
CREATE TABLE inventory_stock (
  stock_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name varchar(255) NOT NULL
) ENGINE=InnoDB;
CREATE TABLE inventory_source_stock_link (
  link_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  stock_id int unsigned NOT NULL,
  source_code varchar(255) NOT NULL,
  priority smallint unsigned NOT NULL,
  UNIQUE KEY (stock_id, source_code)
) ENGINE=InnoDB;
CREATE TABLE inventory_stock_sales_channel (
  type varchar(64) NOT NULL,
  code varchar(64) NOT NULL,
  stock_id int unsigned NOT NULL,
  PRIMARY KEY (type, code)
) ENGINE=InnoDB;
CREATE TABLE inventory_source_item (
  source_item_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  source_code varchar(255) NOT NULL,
  sku varchar(64) NOT NULL,
  quantity decimal(12,4) NOT NULL DEFAULT 0.0000,
  status smallint unsigned NOT NULL DEFAULT 0,
  UNIQUE KEY (source_code, sku),
  KEY (sku, source_code, quantity),
  FOREIGN KEY (source_code) REFERENCES inventory_source (source_code) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE inventory_low_stock_notification_configuration (
  source_code varchar(255) NOT NULL,
  sku varchar(64) NOT NULL,
  notify_stock_qty decimal(12,4) DEFAULT NULL,
  PRIMARY KEY (source_code, sku)
) ENGINE=InnoDB;
CREATE TABLE inventory_reservation (
  reservation_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  stock_id int unsigned NOT NULL,
  sku varchar(64) NOT NULL,
  quantity decimal(10,4) NOT NULL DEFAULT 0.0000,
  metadata varchar(255) DEFAULT NULL,
  KEY (stock_id, sku, quantity)
) ENGINE=InnoDB;
CREATE TABLE inventory_stock_2 (
  sku varchar(64) NOT NULL PRIMARY KEY,
  quantity decimal(12,4) NOT NULL DEFAULT 0.0000,
  is_salable tinyint(1) NOT NULL
) ENGINE=InnoDB;
CREATE VIEW inventory_stock_1 AS
  SELECT DISTINCT s.product_id, s.website_id, s.stock_id, s.qty AS quantity, s.stock_status AS is_salable, p.sku
  FROM cataloginventory_stock_status s JOIN catalog_product_entity p ON p.entity_id = s.product_id;

CREATE TABLE url_rewrite (
  url_rewrite_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_type varchar(32) NOT NULL,
  entity_id int unsigned NOT NULL,
  request_path varchar(255) DEFAULT NULL,
  target_path varchar(255) DEFAULT NULL,
  store_id smallint unsigned NOT NULL,
  UNIQUE KEY (request_path, store_id),
  KEY (entity_id)
) ENGINE=InnoDB;
CREATE TABLE quote (
  entity_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  store_id smallint unsigned NOT NULL DEFAULT 0,
  created_at timestamp NOT NULL DEFAULT current_timestamp(),
  updated_at timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  is_active smallint unsigned DEFAULT 1,
  items_count int unsigned DEFAULT 0,
  items_qty decimal(12,4) DEFAULT 0.0000,
  grand_total decimal(20,4) DEFAULT 0.0000,
  trigger_recollect smallint NOT NULL DEFAULT 0,
  KEY (store_id, updated_at),
  FOREIGN KEY (store_id) REFERENCES store (store_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE quote_item (
  item_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  quote_id int unsigned NOT NULL DEFAULT 0,
  created_at timestamp NOT NULL DEFAULT current_timestamp(),
  updated_at timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  product_id int unsigned DEFAULT NULL,
  store_id smallint unsigned DEFAULT NULL,
  parent_item_id int unsigned DEFAULT NULL,
  sku varchar(255) DEFAULT NULL,
  name varchar(255) DEFAULT NULL,
  qty decimal(12,4) NOT NULL DEFAULT 0.0000,
  price decimal(20,4) NOT NULL DEFAULT 0.0000,
  product_type varchar(255) DEFAULT NULL,
  KEY (parent_item_id),
  KEY (product_id),
  KEY (quote_id),
  FOREIGN KEY (parent_item_id) REFERENCES quote_item (item_id) ON DELETE CASCADE,
  FOREIGN KEY (quote_id) REFERENCES quote (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE quote_item_option (
  option_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  item_id int unsigned NOT NULL,
  product_id int unsigned NOT NULL,
  code varchar(255) NOT NULL,
  value text,
  KEY (item_id),
  FOREIGN KEY (item_id) REFERENCES quote_item (item_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE sales_order (
  entity_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  state varchar(32) DEFAULT NULL,
  status varchar(32) DEFAULT NULL,
  quote_id int DEFAULT NULL,
  increment_id varchar(50) DEFAULT NULL,
  store_id smallint unsigned DEFAULT NULL,
  grand_total decimal(20,4) DEFAULT NULL,
  created_at timestamp NOT NULL DEFAULT current_timestamp(),
  KEY (state)
) ENGINE=InnoDB;
CREATE TABLE sales_order_item (
  item_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  order_id int unsigned NOT NULL DEFAULT 0,
  quote_item_id int unsigned DEFAULT NULL,
  product_id int unsigned DEFAULT NULL,
  product_type varchar(255) DEFAULT NULL,
  sku varchar(255) DEFAULT NULL,
  name varchar(255) DEFAULT NULL,
  qty_ordered decimal(12,4) DEFAULT 0.0000,
  price decimal(20,4) NOT NULL DEFAULT 0.0000,
  KEY (order_id),
  FOREIGN KEY (order_id) REFERENCES sales_order (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE customer_entity (
  entity_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  email varchar(255) DEFAULT NULL
) ENGINE=InnoDB;
CREATE TABLE wishlist (
  wishlist_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer_id int unsigned NOT NULL DEFAULT 0 UNIQUE,
  FOREIGN KEY (customer_id) REFERENCES customer_entity (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE wishlist_item (
  wishlist_item_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  wishlist_id int unsigned NOT NULL DEFAULT 0,
  product_id int unsigned NOT NULL DEFAULT 0,
  store_id smallint unsigned DEFAULT NULL,
  qty decimal(12,4) NOT NULL,
  FOREIGN KEY (wishlist_id) REFERENCES wishlist (wishlist_id) ON DELETE CASCADE,
  FOREIGN KEY (product_id) REFERENCES catalog_product_entity (entity_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE review_entity (
  entity_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_code varchar(32) NOT NULL
) ENGINE=InnoDB;
CREATE TABLE review (
  review_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  created_at timestamp NOT NULL DEFAULT current_timestamp(),
  entity_id smallint unsigned NOT NULL DEFAULT 0,
  entity_pk_value int unsigned NOT NULL DEFAULT 0,
  status_id smallint unsigned NOT NULL DEFAULT 0,
  KEY (entity_pk_value)
) ENGINE=InnoDB;
CREATE TABLE report_event_types (
  event_type_id smallint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  event_name varchar(64) NOT NULL
) ENGINE=InnoDB;
CREATE TABLE report_event (
  event_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  event_type_id smallint unsigned NOT NULL DEFAULT 0,
  object_id int unsigned NOT NULL DEFAULT 0,
  store_id smallint unsigned NOT NULL,
  KEY (object_id),
  FOREIGN KEY (event_type_id) REFERENCES report_event_types (event_type_id) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE salesrule (
  rule_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name varchar(255) DEFAULT NULL,
  is_active smallint NOT NULL DEFAULT 0,
  from_date date DEFAULT NULL,
  to_date date DEFAULT NULL,
  conditions_serialized mediumtext,
  actions_serialized mediumtext
) ENGINE=InnoDB;
CREATE TABLE salesrule_product_attribute (
  rule_id int unsigned NOT NULL,
  website_id smallint unsigned NOT NULL,
  customer_group_id int unsigned NOT NULL,
  attribute_id smallint unsigned NOT NULL,
  PRIMARY KEY (rule_id, website_id, customer_group_id, attribute_id),
  FOREIGN KEY (rule_id) REFERENCES salesrule (rule_id) ON DELETE CASCADE
) ENGINE=InnoDB;

-- Changelogs as indexers "by schedule" have them: a row for each base row.
CREATE TABLE catalog_product_price_cl (
  version_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_id int unsigned NOT NULL DEFAULT 0
) ENGINE=InnoDB;
CREATE TABLE cataloginventory_stock_cl LIKE catalog_product_price_cl;
DELIMITER ;;
CREATE TRIGGER trg_catalog_product_entity_after_insert AFTER INSERT ON catalog_product_entity FOR EACH ROW
BEGIN
  INSERT IGNORE INTO catalog_product_price_cl (entity_id) VALUES (NEW.entity_id);
END;;
CREATE TRIGGER trg_catalog_product_entity_after_delete AFTER DELETE ON catalog_product_entity FOR EACH ROW
BEGIN
  INSERT IGNORE INTO catalog_product_price_cl (entity_id) VALUES (OLD.entity_id);
END;;
CREATE TRIGGER trg_catalog_product_entity_decimal_after_insert AFTER INSERT ON catalog_product_entity_decimal FOR EACH ROW
BEGIN
  INSERT IGNORE INTO catalog_product_price_cl (entity_id) VALUES (NEW.entity_id);
END;;
CREATE TRIGGER trg_catalog_product_entity_decimal_after_update AFTER UPDATE ON catalog_product_entity_decimal FOR EACH ROW
BEGIN
  IF NOT (NEW.value <=> OLD.value) THEN INSERT IGNORE INTO catalog_product_price_cl (entity_id) VALUES (NEW.entity_id); END IF;
END;;
CREATE TRIGGER trg_cataloginventory_stock_item_after_insert AFTER INSERT ON cataloginventory_stock_item FOR EACH ROW
BEGIN
  INSERT IGNORE INTO cataloginventory_stock_cl (entity_id) VALUES (NEW.product_id);
END;;
CREATE TRIGGER trg_cataloginventory_stock_item_after_update AFTER UPDATE ON cataloginventory_stock_item FOR EACH ROW
BEGIN
  INSERT IGNORE INTO cataloginventory_stock_cl (entity_id) VALUES (NEW.product_id);
END;;
DELIMITER ;

INSERT INTO eav_entity_type VALUES (3,'catalog_category',3),(10,'catalog_product',9);
INSERT INTO eav_attribute_set VALUES (3,3,'Default',1),(9,10,'Default',1);
INSERT INTO eav_attribute VALUES
  (41,3,'name','varchar','text',NULL),
  (173,10,'name','varchar','text',NULL),
  (174,10,'price','decimal','price',NULL),
  (175,10,'special_price','decimal','price',NULL),
  (176,10,'special_from_date','datetime','date',NULL),
  (177,10,'special_to_date','datetime','date',NULL),
  (178,10,'cost','decimal','price',NULL),
  (179,10,'weight','decimal','weight',NULL),
  (197,10,'status','int','select',NULL),
  (199,10,'visibility','int','select',NULL),
  (236,10,'tax_class_id','int','select',NULL),
  (240,10,'color','int','select',NULL),
  (241,10,'material','varchar','text',NULL),
  (221,10,'url_key','varchar','text',NULL);
INSERT INTO eav_entity_attribute (entity_type_id, attribute_set_id, attribute_id)
  SELECT 10, 9, attribute_id FROM eav_attribute WHERE entity_type_id = 10;
INSERT INTO eav_attribute_option VALUES (51,240,1),(52,240,2);
INSERT INTO eav_attribute_option_value VALUES (1,51,0,'Red'),(2,52,0,'Blue');
SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO');
INSERT INTO store_website VALUES (0,'admin','Admin',0,0,0),(1,'base','Main Website',0,1,1),(3,'second','Second',1,3,0);
INSERT INTO store_group VALUES (0,0,'Default',0,0,'default'),(1,1,'Main Website Store',2,1,'main'),(3,3,'Second',2,5,'second');
INSERT INTO store VALUES (0,'admin',0,0,'Admin',0,1),(1,'default',1,1,'English',0,1),(2,'de',1,1,'Deutsch',1,1),(5,'second',3,3,'US',0,1);
INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
  ('default',0,'currency/options/base','EUR'),
  ('default',0,'currency/options/default','EUR'),
  ('websites',3,'currency/options/base','USD'),
  ('default',0,'catalog/price/scope','1'),
  ('websites',3,'currency/options/default','USD'),
  ('default',0,'general/locale/code','en_GB'),
  ('stores',2,'general/locale/code','de_DE'),
  ('stores',5,'general/locale/code','en_US');
INSERT INTO tax_class VALUES (7,'Taxable Goods','PRODUCT'),(8,'Retail Customer','CUSTOMER'),(9,'Reduced','PRODUCT');
INSERT INTO customer_group VALUES (0,'NOT LOGGED IN',8),(1,'General',8),(2,'Wholesale',8),(3,'Retailer',8);
INSERT INTO catalog_category_entity VALUES (1,'1'),(2,'1/2'),(11,'1/2/11'),(12,'1/2/11/12');
INSERT INTO catalog_category_entity_varchar VALUES (1,41,0,1,'Root Catalog'),(2,41,0,2,'Default Category'),(3,41,0,11,'Men'),(4,41,0,12,'Shoes');
INSERT INTO cataloginventory_stock VALUES (1,0,'Default');
INSERT INTO inventory_source VALUES ('default','Default Source',1),('depot','Depot',1);
INSERT INTO inventory_stock VALUES (1,'Default Stock'),(2,'Second');
INSERT INTO inventory_source_stock_link VALUES (1,1,'default',1),(2,2,'depot',1);
INSERT INTO inventory_stock_sales_channel VALUES ('website','base',1),('website','second',2);
INSERT INTO review_entity VALUES (1,'product'),(2,'customer');
INSERT INTO report_event_types VALUES (1,'catalog_product_view'),(4,'checkout_cart_add_product');

SET FOREIGN_KEY_CHECKS=1;
